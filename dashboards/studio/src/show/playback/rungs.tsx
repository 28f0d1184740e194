import type { Rung } from "@simulcast/api";
import { Pill } from "../../parts/pill";
import { rungWords } from "./player-words";

/** What became of each smaller quality on this machine. */
export function Rungs({ rungs }: { rungs: Rung[] }) {
  if (rungs.length === 0) {
    return <p className="quiet-text">Which ones this server makes is known when your encoder sends.</p>;
  }
  return (
    <ul className="lines rungs" aria-label="Smaller qualities">
      {rungs.map((rung) => {
        const { label, tone, detail } = rungWords(rung);
        return (
          <li key={rung.name}>
            <div className="row spread">
              <strong>{rung.name}</strong>
              <Pill tone={tone}>{label}</Pill>
            </div>
            {detail && <p className="quiet-text number">{detail}</p>}
          </li>
        );
      })}
    </ul>
  );
}
