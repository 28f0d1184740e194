import { type AftersaleTerms } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { countOf, minorOf } from "../products/amounts";
import { amountText } from "./amount-text";
import { Lines } from "./lines-field";

interface Props {
  terms: AftersaleTerms;
  currency: string;
  busy: boolean;
  error: unknown;
  onSave: (change: Partial<AftersaleTerms>) => void;
  onClose: () => void;
}

const NUMBERS = ["return_days", "longest_delivery_days", "returner_orders", "returner_percent"] as const;
const NOT_A_NUMBER = "Enter a whole number.";

export function SettingsForm({ terms, currency, busy, error, onSave, onClose }: Props) {
  const [texts, setTexts] = useState(terms);
  const [numbers, setNumbers] = useState(() =>
    Object.fromEntries(NUMBERS.map((name) => [name, String(terms[name])])),
  );
  const [high, setHigh] = useState(amountText(terms.high_value_minor, currency));
  const counts = NUMBERS.map((name) => [name, countOf(numbers[name] ?? "")] as const);
  const highMinor = high.trim() ? minorOf(high, currency) : undefined;
  const wrong = highMinor === null || counts.some(([, count]) => count === null);
  const text = (part: Partial<AftersaleTerms>) => setTexts({ ...texts, ...part });
  const number = (name: (typeof NUMBERS)[number]) => ({
    inputMode: "numeric" as const,
    value: numbers[name] ?? "",
    problem: countOf(numbers[name] ?? "") === null ? NOT_A_NUMBER : undefined,
    onText: (typed: string) => setNumbers({ ...numbers, [name]: typed }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong && !busy) {
      onSave({ ...texts, ...Object.fromEntries(counts), high_value_minor: highMinor ?? null });
    }
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <h3>Invoices</h3>
      <TextField
        label="Legal name"
        help="Empty: the brand's name. Invoices that were issued stay as they are."
        value={texts.legal_name}
        onText={(legal_name) => text({ legal_name })}
      />
      <Lines label="Legal address" value={texts.legal_address} onText={(legal_address) => text({ legal_address })} />
      <TextField label="VAT number" value={texts.vat_id} onText={(vat_id) => text({ vat_id })} />
      <TextField
        label="Invoice numbers begin with"
        help="The number behind it counts on without a gap."
        value={texts.invoice_prefix}
        onText={(invoice_prefix) => text({ invoice_prefix })}
      />
      <Lines label="Below every invoice" value={texts.invoice_note} onText={(invoice_note) => text({ invoice_note })} />
      <h3>Returns</h3>
      <Lines
        label="Return address"
        help="Empty: the legal address."
        value={texts.return_address}
        onText={(return_address) => text({ return_address })}
      />
      <TextField
        label="Days to ask for a return"
        help="From the delivery on. The 24 hours to cancel and the legal 14 days stand beside it."
        {...number("return_days")}
      />
      <TextField
        label="Longest delivery in days"
        help="Counted where no delivery is noted and the shipping method names no time."
        {...number("longest_delivery_days")}
      />
      <TextField label="Mark customers from this many orders" {...number("returner_orders")} />
      <TextField
        label="… who return at least this many percent"
        help="Only shown to you. Nobody is refused by it."
        {...number("returner_percent")}
      />
      <TextField
        label="Remind hosts of the return terms above a price of"
        help="Empty: never."
        inputMode="decimal"
        problem={highMinor === null ? "Enter an amount like 200." : undefined}
        value={high}
        onText={setHigh}
      />
      <Problem error={error} />
      <div className="row">
        <button className="primary" disabled={wrong} aria-disabled={busy}>
          Save
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </form>
  );
}
