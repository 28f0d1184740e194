import "./privacy.css";
import { PrivacyApi } from "@simulcast/api";
import { useMemo } from "react";
import { ConsentTextCard } from "./consent-text-card";
import { LooksCard } from "./looks-card";
import { MembersCard } from "./members-card";
import { PeopleCard } from "./people-card";
import { RequestsCard } from "./requests-card";
import { RulesCard } from "./rules-card";

/** What people may ask of the brand, how long things are kept, who looked, and who works here. */
export function PrivacyPage({ role }: { role: string }) {
  const api = useMemo(() => new PrivacyApi(), []);
  const owner = role === "owner";
  return (
    <div className="page stack">
      <title>Privacy · Studio</title>
      <h1>Privacy</h1>
      {!owner && <p className="quiet-text">Copies, erasures, rules and members are for owners.</p>}
      <PeopleCard api={api} owner={owner} />
      <RequestsCard api={api} owner={owner} />
      {owner && (
        <>
          <ConsentTextCard api={api} />
          <RulesCard api={api} />
          <LooksCard api={api} />
          <MembersCard api={api} />
        </>
      )}
    </div>
  );
}
