import "./channels.css";
import type { FigureScope } from "@simulcast/api";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { LifetimeCard } from "./lifetime-card";
import { OffersCard } from "./offers-card";
import { ScopeFields } from "./scope-fields";
import { SourcesCard } from "./sources-card";
import { ValueCard } from "./value-card";

/** What each channel brought and cost, what it was worth, and over a lifetime. */
export function ChannelsPage() {
  const [scope, setScope] = useState<FigureScope>({});
  return (
    <div className="page stack">
      <title>Channels · Studio</title>
      <div className="row spread">
        <h1>Channels</h1>
        <div className="row">
          <a className="button" {...linkTo(PATHS.cohorts)}>
            Compare people
          </a>
          <a className="button" {...linkTo(PATHS.benefits)}>
            Benefits
          </a>
        </div>
      </div>
      <div className="card">
        <ScopeFields scope={scope} onScope={setScope} />
      </div>
      <SourcesCard scope={scope} />
      <ValueCard scope={scope} />
      <LifetimeCard />
      <OffersCard scope={scope} />
    </div>
  );
}
