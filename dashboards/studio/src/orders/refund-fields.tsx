import { formatMoney, type OrderDetail } from "@simulcast/api";
import { TextField } from "../parts/text-field";
import type { Problems, RefundDraft } from "./refund-draft";

interface Props {
  order: OrderDetail;
  draft: RefundDraft;
  problems: Problems;
  onChange: (part: Partial<RefundDraft>) => void;
}

/** Pieces by line, the shipping, and an amount on top. */
export function RefundFields({ order, draft, problems, onChange }: Props) {
  const money = (minor: number) => formatMoney(minor, order.currency);
  return (
    <fieldset className="stack">
      <legend className="visually-hidden">What to give back</legend>
      {order.lines.map((line) => {
        const left = line.quantity - line.refunded_pieces;
        return (
          <TextField
            key={line.id}
            label={`Pieces of ${line.title}`}
            help={left ? `Up to ${left}.` : "All of these are refunded."}
            inputMode="numeric"
            disabled={left === 0}
            problem={problems[`line:${line.id}`]}
            value={draft.pieces[line.id] ?? ""}
            onText={(typed) => onChange({ pieces: { ...draft.pieces, [line.id]: typed } })}
          />
        );
      })}
      {order.shipping_left_minor > 0 && (
        <TextField
          label="Shipping"
          help={`Up to ${money(order.shipping_left_minor)}.`}
          inputMode="decimal"
          problem={problems.shipping}
          value={draft.shipping}
          onText={(shipping) => onChange({ shipping })}
        />
      )}
      <TextField
        label="An amount on top"
        help="For example because something was scratched."
        inputMode="decimal"
        problem={problems.amount}
        value={draft.amount}
        onText={(amount) => onChange({ amount })}
      />
    </fieldset>
  );
}
