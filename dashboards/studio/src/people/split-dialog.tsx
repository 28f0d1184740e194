import type { PersonDetail } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CheckField } from "../parts/check-field";
import { Problem } from "../parts/problem";
import { handle, movesAlong } from "./people-words";
import { ReasonDialog } from "./reason-dialog";
import { personKey, usePeople, usePeopleChange } from "./use-people";

/** Chooses what belongs to somebody else, and says what goes along before it does. */
export function SplitDialog({ person, onClose }: { person: PersonDetail; onClose: () => void }) {
  const api = usePeople();
  const [chosen, setChosen] = useState<string[]>([]);
  const nodes = person.nodes.filter((node) => node.kind !== "visitor" && node.kind !== "payment");
  const some = chosen.length > 0 && chosen.length < nodes.length;
  const preview = useQuery({
    queryKey: [...personKey(person.id), "moves", chosen],
    queryFn: () => api.previewSplit(person.id, chosen),
    enabled: some,
  });
  const split = usePeopleChange((reason: string) => api.split(person.id, chosen, reason), onClose);
  const toggle = (id: string, on: boolean) =>
    setChosen((before) => (on ? [...before, id] : before.filter((one) => one !== id)));
  return (
    <ReasonDialog
      title={`Split ${person.name ?? "this person"}`}
      act="Split them"
      ready={some}
      busy={split.isPending}
      error={split.error}
      onAct={(reason) => split.mutate(reason)}
      onClose={onClose}
    >
      <p>What belongs to somebody else? Browsers and cards follow the handle they were used with.</p>
      <fieldset className="stack">
        <legend className="visually-hidden">What goes</legend>
        {nodes.map((node) => (
          <CheckField
            key={node.id}
            label={handle(node)}
            help={node.name ? `as ${node.name}` : undefined}
            checked={chosen.includes(node.id)}
            onCheck={(on) => toggle(node.id, on)}
          />
        ))}
      </fieldset>
      <p className="quiet-text" role="status">
        {chosen.length === nodes.length && "Leave something that stays."}
        {some && preview.data && movesAlong(preview.data)}
      </p>
      <Problem error={preview.error} />
    </ReasonDialog>
  );
}
