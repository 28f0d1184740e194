import { randomKey } from "../orders/use-orders";
import { Empty } from "../parts/empty";
import { TextField } from "../parts/text-field";
import { countryNames, type MethodDraft, movedBy, newMethod, type Problems } from "./shop-draft";

interface Props {
  methods: MethodDraft[];
  /** Of a new one. */
  currency: string;
  problems: Problems;
  onMethods: (methods: MethodDraft[]) => void;
}

export function DeliveryFields({ methods, currency, problems, onMethods }: Props) {
  const add = (
    <button type="button" onClick={() => onMethods([...methods, newMethod(randomKey(), currency)])}>
      Add a way of delivery
    </button>
  );
  return (
    <section className="stack" aria-labelledby="delivery">
      <h2 id="delivery">Delivery</h2>
      {methods.length === 0 ? (
        <Empty title="No way of delivery yet" action={add}>
          Buyers are not asked for an address, and nothing is sent. That is right for downloads and vouchers only.
        </Empty>
      ) : (
        <>
          <p className="quiet-text">Buyers see those that go to their country, in this order.</p>
          <ol className="shop-rows">
            {methods.map((method, index) => (
              <Method
                key={method.key}
                method={method}
                at={`shipping_methods.${index}`}
                problems={problems}
                onChange={(changed) => onMethods(methods.map((one, n) => (n === index ? changed : one)))}
                onRemove={() => onMethods(methods.filter((_, n) => n !== index))}
                onUp={index > 0 ? () => onMethods(movedBy(methods, index, -1)) : null}
              />
            ))}
          </ol>
          <div className="row">{add}</div>
        </>
      )}
    </section>
  );
}

interface MethodProps {
  method: MethodDraft;
  /** Its place in `problems`. */
  at: string;
  problems: Problems;
  onChange: (method: MethodDraft) => void;
  onRemove: () => void;
  onUp: (() => void) | null;
}

function Method({ method, at, problems, onChange, onRemove, onUp }: MethodProps) {
  const set = (part: Partial<MethodDraft>) => onChange({ ...method, ...part });
  const name = method.title || "this way of delivery";
  return (
    <li className="card stack">
      <div className="two">
        <TextField
          label="Name"
          maxLength={80}
          problem={problems[`${at}.title`]}
          value={method.title}
          onText={(title) => set({ title })}
        />
        <TextField
          label="How long it takes"
          help="As buyers read it, like 2–4 days. Deadlines for returns count its longest day."
          maxLength={80}
          problem={problems[`${at}.days`]}
          value={method.days}
          onText={(days) => set({ days })}
        />
        <TextField
          label={`Price in ${method.currency}`}
          inputMode="decimal"
          problem={problems[`${at}.price_minor`]}
          value={method.price}
          onText={(price) => set({ price })}
        />
        <TextField
          label={`Free from an order of, in ${method.currency}`}
          help="Empty: never free."
          inputMode="decimal"
          problem={problems[`${at}.free_from_minor`]}
          value={method.freeFrom}
          onText={(freeFrom) => set({ freeFrom })}
        />
      </div>
      <TextField
        label="Countries"
        help={countryNames(method.countries) || "Codes with commas between them, like DE, AT. Empty: everywhere."}
        problem={problems[`${at}.countries`]}
        value={method.countries}
        onText={(countries) => set({ countries })}
      />
      <div className="row">
        {onUp && (
          <button type="button" className="small" aria-label={`Move up: ${name}`} onClick={onUp}>
            Move up
          </button>
        )}
        <button type="button" className="small" aria-label={`Remove ${name}`} onClick={onRemove}>
          Remove
        </button>
      </div>
    </li>
  );
}
