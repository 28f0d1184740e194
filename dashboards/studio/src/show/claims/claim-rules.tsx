import type { ClaimRules, ClaimsApi } from "@simulcast/api";
import { CheckField } from "../../parts/check-field";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { plural } from "../../parts/words";
import { choices, timeWords } from "./claim-words";
import { useClaimsChange } from "./use-claims";

const SECONDS = [60, 120, 300, 600, 900, 1_800, 3_600];
const MOST = [1, 2, 3, 5, 10, 20, 50, 100];

interface Props {
  api: ClaimsApi;
  showId: string;
  rules: ClaimRules;
}

/** Each choice counts at once, for what is decided from then on. */
export function ClaimRulesForm({ api, showId, rules }: Props) {
  const change = useClaimsChange(showId, (part: Partial<ClaimRules>) => api.rules(showId, part));
  const { enabled, seconds, waitlist, most } = { ...rules, ...(change.isPending ? change.variables : {}) };
  return (
    <div className="stack tight">
      <CheckField
        label="Take claims from comments"
        checked={enabled}
        onCheck={(on) => change.mutate({ enabled: on })}
      />
      <CheckField
        label="When it is sold out, put them in line"
        help="They hear when one is freed."
        checked={waitlist}
        onCheck={(on) => change.mutate({ waitlist: on })}
      />
      <SelectField
        label="Time to pay"
        value={String(seconds)}
        options={choices(SECONDS, seconds).map((one) => ({ value: String(one), title: timeWords(one) }))}
        onChoose={(value) => change.mutate({ seconds: Number(value) })}
      />
      <SelectField
        label="Most in one claim"
        value={String(most)}
        options={choices(MOST, most).map((one) => ({ value: String(one), title: plural(one, "piece") }))}
        onChoose={(value) => change.mutate({ most: Number(value) })}
      />
      <Problem error={change.error} />
    </div>
  );
}
