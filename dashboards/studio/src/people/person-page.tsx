import "../orders/orders.css";
import "./people.css";
import { useQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { PersonView } from "./person-view";
import { personKey, usePeople } from "./use-people";

/** One person: who they are, why we think so, and all they did. */
export function PersonPage({ id, role }: { id: string; role: string }) {
  const api = usePeople();
  const person = useQuery({ queryKey: personKey(id), queryFn: ({ signal }) => api.person(id, signal) });
  return (
    <div className="page stack">
      <title>{`${person.data?.name ?? "Person"} · Studio`}</title>
      <p>
        <a {...linkTo(PATHS.people)}>← All people</a>
      </p>
      {person.isPending && <Loading what="this person" />}
      {person.error && <Problem error={person.error} retry={() => void person.refetch()} />}
      {person.data && <PersonView person={person.data} role={role} />}
    </div>
  );
}
