import type { PersonRow } from "@simulcast/api";
import { linkTo, PATHS } from "../navigation";
import { Pill } from "../parts/pill";
import { dateTime } from "../parts/words";
import { bought, NOBODY } from "./people-words";

/** One person of the list. */
export function PersonLine({ person }: { person: PersonRow }) {
  return (
    <li>
      <a className="order-line" {...linkTo(PATHS.person(person.id))}>
        <span className="row spread">
          <strong className="wrap grow">{person.name ?? person.hints[0] ?? NOBODY}</strong>
          <span className="row">
            {person.member_since && <Pill tone="good">Member</Pill>}
            {person.migrated && <Pill tone="good">Came over</Pill>}
            {person.suggestions > 0 && <Pill tone="warn">May be known twice</Pill>}
          </span>
        </span>
        <span className="quiet-text wrap">{bought(person)}</span>
        <span className="quiet-text wrap">
          {[...person.hints.slice(0, 3), person.last_at && `last order ${dateTime(person.last_at)}`]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </a>
    </li>
  );
}
