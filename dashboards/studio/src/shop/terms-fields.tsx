import { TextArea } from "../parts/text-area";
import { TextField } from "../parts/text-field";
import type { Problems, ShopDraft } from "./shop-draft";

interface Props {
  draft: ShopDraft;
  currency: string;
  problems: Problems;
  onDraft: (part: Partial<ShopDraft>) => void;
}

export function TermsFields({ draft, currency, problems, onDraft }: Props) {
  return (
    <section className="stack" aria-labelledby="terms">
      <h2 id="terms">Terms</h2>
      <div className="card stack">
        <TextField
          label="Days to withdraw"
          help="Buyers read it in the letter of their order. 14 in the European Union; 0: nothing is said."
          inputMode="numeric"
          problem={problems["terms.withdrawal_days"]}
          value={draft.withdrawalDays}
          onText={(withdrawalDays) => onDraft({ withdrawalDays })}
        />
        <TextArea
          label="Return terms"
          help="Of products that have none of their own."
          maxLength={4000}
          value={draft.returnPolicy}
          onText={(returnPolicy) => onDraft({ returnPolicy })}
        />
        <TextField
          label="Where buyers reach you"
          help="A mail address or a telephone number, for the letter of their order."
          maxLength={320}
          problem={problems["terms.contact"]}
          value={draft.contact}
          onText={(contact) => onDraft({ contact })}
        />
        <TextField
          label={`Ask who pays with a saved card, from an order of, in ${currency}`}
          help="They confirm with their phone or key that it is they. 0: always."
          inputMode="decimal"
          problem={problems["terms.confirm_above_minor"]}
          value={draft.confirmAbove}
          onText={(confirmAbove) => onDraft({ confirmAbove })}
        />
      </div>
    </section>
  );
}
