import "./conversions.css";
import { type ConversionAccount, ConversionsApi } from "@simulcast/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { AccountCard } from "./account-card";

const ACCOUNTS = ["conversions"];
const READ_EVERY_MS = 10_000;

/** What Google, Meta and TikTok are told of sales, and what keeps them from being told. */
export function ConversionsPage() {
  const api = useMemo(() => new ConversionsApi(), []);
  const cache = useQueryClient();
  const accounts = useQuery({
    queryKey: ACCOUNTS,
    queryFn: ({ signal }) => api.accounts(signal),
    refetchInterval: READ_EVERY_MS,
  });
  const changed = (rows: ConversionAccount[]) => cache.setQueryData(ACCOUNTS, rows);
  return (
    <div className="page stack">
      <title>Conversions · Studio</title>
      <div className="row spread">
        <h1>Conversions</h1>
        <a {...linkTo(PATHS.connections)}>All connections</a>
      </div>
      <p className="quiet-text">
        Sales and refunds, told to the ad and analytics accounts you linked, as far as each buyer agreed.
      </p>
      {accounts.isPending && <Loading what="conversions" />}
      {accounts.error && <Problem error={accounts.error} retry={() => void accounts.refetch()} />}
      {accounts.data?.length === 0 && (
        <Empty title="No account is told of sales" action={<a {...linkTo(PATHS.connections)}>Link one</a>}>
          Link Google Analytics 4, Meta Conversions API or TikTok Events API, and their ads learn what was bought.
        </Empty>
      )}
      {accounts.data?.map((account) => (
        <AccountCard
          key={account.connection_id}
          account={account}
          api={api}
          changed={changed}
          again={() => void accounts.refetch()}
        />
      ))}
    </div>
  );
}
