import { randomKey } from "../orders/use-orders";
import { CheckField } from "../parts/check-field";
import { Empty } from "../parts/empty";
import { TextField } from "../parts/text-field";
import { countryNames, newRate, type Problems, type RateDraft, type ShopDraft } from "./shop-draft";

interface Props {
  draft: ShopDraft;
  problems: Problems;
  onDraft: (part: Partial<ShopDraft>) => void;
}

export function TaxFields({ draft, problems, onDraft }: Props) {
  const { rates } = draft;
  const add = (
    <button type="button" onClick={() => onDraft({ rates: [...rates, newRate(randomKey())] })}>
      Add a tax rate
    </button>
  );
  return (
    <section className="stack" aria-labelledby="taxes">
      <h2 id="taxes">Taxes</h2>
      <div className="card stack">
        <CheckField
          label="Prices contain their tax"
          help="As is usual in Europe. Otherwise tax comes on top, as in the United States."
          checked={draft.pricesIncludeTax}
          onCheck={(pricesIncludeTax) => onDraft({ pricesIncludeTax })}
        />
        <TextField
          label="Country of orders without an address"
          help={countryNames(draft.country) || "Its tax is taken, like DE. Empty: none is."}
          maxLength={2}
          problem={problems["terms.country"]}
          value={draft.country}
          onText={(country) => onDraft({ country })}
        />
      </div>
      {rates.length === 0 ? (
        <Empty title="No tax rates yet" action={add}>
          Orders bear no tax, and invoices show none. Add a rate for each country you have to charge tax in.
        </Empty>
      ) : (
        <>
          <p className="quiet-text">
            A region's rate goes before its country's. A class without a rate of its own has the standard one.
          </p>
          <ul className="shop-rows">
            {rates.map((rate, index) => (
              <Rate
                key={rate.key}
                rate={rate}
                at={`tax_rates.${index}`}
                problems={problems}
                onChange={(changed) => onDraft({ rates: rates.map((one, n) => (n === index ? changed : one)) })}
                onRemove={() => onDraft({ rates: rates.filter((_, n) => n !== index) })}
              />
            ))}
          </ul>
          <div className="row">{add}</div>
        </>
      )}
    </section>
  );
}

interface RateProps {
  rate: RateDraft;
  /** Its place in `problems`. */
  at: string;
  problems: Problems;
  onChange: (rate: RateDraft) => void;
  onRemove: () => void;
}

function Rate({ rate, at, problems, onChange, onRemove }: RateProps) {
  const set = (part: Partial<RateDraft>) => onChange({ ...rate, ...part });
  const place = countryNames(rate.country);
  return (
    <li className="card stack">
      <div className="two">
        <TextField
          label="Country"
          help={place || "Its code, like DE."}
          maxLength={2}
          problem={problems[`${at}.country`]}
          value={rate.country}
          onText={(country) => set({ country })}
        />
        <TextField
          label="Region"
          help="A state's code, like CA. Empty: the whole country."
          maxLength={40}
          problem={problems[`${at}.region`]}
          value={rate.region}
          onText={(region) => set({ region })}
        />
        <TextField
          label="Tax class"
          help="As products name it, like standard or reduced."
          maxLength={40}
          problem={problems[`${at}.tax_class`]}
          value={rate.taxClass}
          onText={(taxClass) => set({ taxClass })}
        />
        <TextField
          label="Percent"
          inputMode="decimal"
          problem={problems[`${at}.percent`]}
          value={rate.percent}
          onText={(percent) => set({ percent })}
        />
        <TextField
          label="Its name on papers"
          help="Like VAT."
          maxLength={40}
          problem={problems[`${at}.title`]}
          value={rate.title}
          onText={(title) => set({ title })}
        />
      </div>
      <div className="row">
        <button
          type="button"
          className="small"
          aria-label={`Remove the rate ${[place, rate.region, rate.taxClass].filter(Boolean).join(", ")}`}
          onClick={onRemove}
        >
          Remove
        </button>
      </div>
    </li>
  );
}
