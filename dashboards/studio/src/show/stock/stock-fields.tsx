import { useId } from "react";
import { TextField } from "../../parts/text-field";
import { POLICIES, type StockDraft, type StockProblems } from "./stock-draft";

interface Props {
  draft: StockDraft;
  problems: StockProblems;
  onDraft: (part: Partial<StockDraft>) => void;
}

/** They hold from the next press on Buy on, before and during the show. */
export function StockFields({ draft, problems, onDraft }: Props) {
  const name = useId();
  return (
    <>
      <fieldset className="stack tight">
        <legend className="legend">Who gets the last ones</legend>
        {POLICIES.map(({ value, title, sentence }) => (
          <label key={value} className="check">
            <input
              type="radio"
              name={name}
              value={value}
              checked={draft.policy === value}
              onChange={() => onDraft({ policy: value })}
            />
            <span>
              <strong>{title}</strong> <span className="quiet-text">{sentence}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <TextField
        label="Seconds a reservation lasts"
        help="Empty: the usual time, 90 seconds unless your hub is set up otherwise. What is reserved already keeps its time."
        inputMode="numeric"
        problem={problems.seconds}
        value={draft.seconds}
        onText={(seconds) => onDraft({ seconds })}
      />
      <TextField
        label="Units each buyer may reserve at a time"
        inputMode="numeric"
        problem={problems.units}
        value={draft.units}
        onText={(units) => onDraft({ units })}
      />
      <TextField
        label="Units all buyers behind one address may reserve at a time"
        help="Against scripts that come as many visitors. A household or an office is one address, too. 0: no limit."
        inputMode="numeric"
        problem={problems.network}
        value={draft.network}
        onText={(network) => onDraft({ network })}
      />
    </>
  );
}
