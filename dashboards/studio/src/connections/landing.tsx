import type { Connection } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { PENDING } from "../cache";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { ChooseDialog } from "./choose-dialog";
import { problemWords } from "./connection-words";
import { type Landed, landedBy } from "./landed";

/** What came of a visit to a platform: an account, a choice, or a problem. It is said once. */
export function Landing({ connections }: { connections: Connection[] }) {
  const [landed, setLanded] = useState(() => landedBy(location.search));
  if (!landed) return null;
  const done = () => {
    setLanded(null);
    history.replaceState(null, "", location.pathname);
  };
  if (landed.kind === "linked") {
    const name = connections.find(({ id }) => id === landed.id)?.name;
    return (
      <Notice tone="good" action={<Close onClose={done} />}>
        {name ?? "The account"} is linked.
      </Notice>
    );
  }
  return landed.kind === "choose" ? (
    <Choosing id={landed.id} onClose={done} />
  ) : (
    <Trouble landed={landed} onClose={done} />
  );
}

function usePending(id: string | null) {
  const api = useApi();
  return useQuery({
    queryKey: [...PENDING, id],
    queryFn: ({ signal }) => api.pendingLink(id ?? "", signal),
    enabled: id !== null,
    staleTime: Infinity,
  });
}

function Choosing({ id, onClose }: { id: string; onClose: () => void }) {
  const pending = usePending(id);
  if (pending.error) return <Problem error={pending.error} retry={() => void pending.refetch()} />;
  if (!pending.data) return <Loading what="what your login reaches" />;
  return <ChooseDialog pending={pending.data} onClose={onClose} />;
}

function Trouble({ landed, onClose }: { landed: Extract<Landed, { kind: "problem" }>; onClose: () => void }) {
  const pending = usePending(landed.id);
  return (
    <Notice tone={landed.problem === "denied" ? "warn" : "bad"} action={<Close onClose={onClose} />}>
      {problemWords(landed.problem, pending.data?.problem)}
    </Notice>
  );
}

function Close({ onClose }: { onClose: () => void }) {
  return (
    <button type="button" className="small" onClick={onClose}>
      Close
    </button>
  );
}
