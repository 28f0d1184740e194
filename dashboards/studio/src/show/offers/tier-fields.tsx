import { TextField } from "../../parts/text-field";
import type { TierForm } from "./offer-draft";

interface Props {
  tiers: TierForm[];
  problem: string | undefined;
  onTiers: (tiers: TierForm[]) => void;
}

/** The steps of a tiered offer, the cheapest first; the last one may be for all the rest. */
export function TierFields({ tiers, problem, onTiers }: Props) {
  const change = (n: number, part: Partial<TierForm>) =>
    onTiers(tiers.map((tier, other) => (other === n ? { ...tier, ...part } : tier)));
  return (
    <fieldset className="stack tight">
      <legend>Steps</legend>
      {tiers.map((tier, n) => (
        // The order is the steps' only identity.
        <div key={n} className="row nowrap tier-fields">
          <TextField
            label={`Step ${n + 1}: % off`}
            inputMode="numeric"
            value={tier.percent}
            onText={(percent) => change(n, { percent })}
          />
          <TextField
            label={n === tiers.length - 1 ? "How many (empty: the rest)" : "How many"}
            inputMode="numeric"
            value={tier.units}
            onText={(units) => change(n, { units })}
          />
          {tiers.length > 2 && (
            <button
              type="button"
              className="small"
              aria-label={`Remove step ${n + 1}`}
              onClick={() => onTiers(tiers.filter((_, other) => other !== n))}
            >
              Remove
            </button>
          )}
        </div>
      ))}
      <div className="row">
        <button type="button" className="small" onClick={() => onTiers([...tiers, { percent: "", units: "" }])}>
          Add a step
        </button>
      </div>
      {problem && <span className="problem">{problem}</span>}
    </fieldset>
  );
}
