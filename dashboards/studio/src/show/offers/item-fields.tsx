import { CheckField } from "../../parts/check-field";
import { TextField } from "../../parts/text-field";
import type { Choice, ItemForm, OfferForm } from "./offer-draft";

interface Props {
  form: OfferForm;
  choices: Choice[];
  problem: string | undefined;
  onItems: (items: ItemForm[]) => void;
}

/** Which products, how many of each in a bundle, and a price of its own where no percentage says it. */
export function ItemFields({ form, choices, problem, onItems }: Props) {
  const coupon = form.kind === "coupon";
  const change = (variantId: string, part: Partial<ItemForm>) =>
    onItems(form.items.map((item) => (item.variantId === variantId ? { ...item, ...part } : item)));
  const toggle = (variantId: string, on: boolean) =>
    onItems(
      on
        ? [...form.items, { variantId, quantity: "1", price: "" }]
        : form.items.filter((item) => item.variantId !== variantId),
    );
  return (
    <fieldset className="stack tight">
      <legend>{coupon ? "Only for these products (none chosen: for all)" : "Products"}</legend>
      {choices.map(({ variantId, title, currency }) => {
        const item = form.items.find((one) => one.variantId === variantId);
        return (
          <div key={variantId} className="stack tight">
            <CheckField label={title} checked={item !== undefined} onCheck={(on) => toggle(variantId, on)} />
            {item && form.kind === "bundle" && (
              <TextField
                label={`How many of it in a bundle`}
                inputMode="numeric"
                value={item.quantity}
                onText={(quantity) => change(variantId, { quantity })}
              />
            )}
            {item && form.kind !== "tiers" && !coupon && (
              <TextField
                label={`Price of one in ${currency}`}
                help="Leave it empty to go by the percentage."
                inputMode="decimal"
                value={item.price}
                onText={(price) => change(variantId, { price })}
              />
            )}
          </div>
        );
      })}
      {problem && <span className="problem">{problem}</span>}
    </fieldset>
  );
}
