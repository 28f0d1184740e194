import type { Intake } from "@simulcast/api";
import { Pill } from "../parts/pill";
import { OUTCOME_TONES, leftOut, outcomeWord } from "./intake-words";

/** Line by line what became of it, problems first. */
export function IntakeReport({ intake }: { intake: Intake }) {
  const more = leftOut(intake);
  if (!intake.report.length) return null;
  return (
    <div className="report" tabIndex={0} role="region" aria-label="Line by line">
      <ul className="stack tight">
        {intake.report.map((line) => (
          <li key={`${line.line} ${line.sku} ${line.outcome}`} className="wrap">
            <Pill tone={OUTCOME_TONES[line.outcome]}>{outcomeWord(line.outcome)}</Pill>{" "}
            {line.line > 0 && <span className="quiet-text">Line {line.line}</span>} <strong>{line.sku}</strong>{" "}
            {line.text}
          </li>
        ))}
      </ul>
      {more > 0 && <p className="quiet-text">And {more} more lines with problems.</p>}
    </div>
  );
}
