import type { OfferWish, ShowProduct, StaffOffer } from "@simulcast/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { CheckField } from "../../parts/check-field";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import { useNow } from "../../parts/use-now";
import { ItemFields } from "./item-fields";
import { choices, formOf, MINUTES, type OfferForm, started, TEMPLATES, typos, wishOf } from "./offer-draft";
import { kindWords } from "./offer-words";
import { Preview } from "./preview";
import { SegmentField } from "./segment-field";
import { TierFields } from "./tier-fields";
import { OFFERS, useOffersApi, useRested } from "./use-offers";

interface Props {
  showId: string;
  products: ShowProduct[];
  /** Null for a new one. */
  offer: StaffOffer | null;
  offsetMs: number;
  onSaved: () => Promise<unknown>;
  onClose: () => void;
}

/** A draft is typed on one side, and what viewers will see of it stands on the other. */
export function OfferEditor({ showId, products, offer, offsetMs, onSaved, onClose }: Props) {
  const api = useOffersApi();
  const known = choices(products);
  const currency = known[0]?.currency ?? "EUR";
  const [form, setForm] = useState<OfferForm>(() =>
    offer ? formOf(offer, currency) : started("flash", products),
  );
  const found = typos(form, currency);
  const right = Object.keys(found).length === 0;
  const save = useMutation({
    mutationFn: async (wish: OfferWish) => {
      await (offer ? api.change(offer.id, wish) : api.add(wish));
      await onSaved();
    },
    onSuccess: onClose,
  });
  const change = (part: Partial<OfferForm>) => {
    save.reset();
    setForm((before) => ({ ...before, ...part }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (right && !save.isPending) save.mutate(wishOf(form, showId, currency));
  };
  const fields = { form, found, currency, onChange: change };
  return (
    <Dialog title={offer ? `Edit ${offer.title}` : "New offer"} onClose={onClose}>
      <form className="offer-editor" onSubmit={submit} noValidate>
        <div className="stack">
          {!offer && (
            <SelectField
              label="Kind"
              help={TEMPLATES.find((one) => one.kind === form.kind)?.about}
              value={form.kind}
              options={TEMPLATES.map((one) => ({ value: one.kind, title: kindWords(one.kind) }))}
              onChoose={(kind) => setForm(started(kind as OfferForm["kind"], products))}
            />
          )}
          <TextField
            label="Name"
            help="Viewers see it. A percentage in it must be true."
            maxLength={120}
            value={form.title}
            problem={found["title"]}
            onText={(title) => change({ title })}
          />
          <PriceFields {...fields} />
          <ItemFields
            form={form}
            choices={known}
            problem={found["items"]}
            onItems={(items) => change({ items })}
          />
          <LimitFields {...fields} />
        </div>
        <div className="stack">
          {right ? (
            <LivePreview wish={wishOf(form, showId, currency)} offsetMs={offsetMs} />
          ) : (
            <p className="quiet-text">Fill in what is marked to see what viewers will see.</p>
          )}
          <Problem error={save.error} />
          <div className="row">
            <button className="primary" disabled={!right || save.isPending}>
              {save.isPending ? "Saving…" : "Save draft"}
            </button>
            <button type="button" onClick={onClose}>
              Cancel
            </button>
          </div>
          <p className="quiet-text">
            Nothing is shown until you go live with it. From then on it can't be changed, only ended.
          </p>
        </div>
      </form>
    </Dialog>
  );
}

interface FieldsProps {
  form: OfferForm;
  found: Record<string, string>;
  currency: string;
  onChange: (part: Partial<OfferForm>) => void;
}

function PriceFields({ form, found, currency, onChange }: FieldsProps) {
  if (form.kind === "tiers") {
    return <TierFields tiers={form.tiers} problem={found["tiers"]} onTiers={(tiers) => onChange({ tiers })} />;
  }
  return (
    <>
      {form.kind === "coupon" && (
        <TextField label="Code" maxLength={32} value={form.code} onText={(code) => onChange({ code })} />
      )}
      <TextField
        label="% off"
        inputMode="numeric"
        value={form.percent}
        problem={found["percent_off"]}
        onText={(percent) => onChange({ percent })}
      />
      {form.kind === "coupon" && (
        <>
          <TextField
            label={`Or an amount off the order in ${currency}`}
            inputMode="decimal"
            value={form.amountOff}
            problem={found["amount_off_minor"]}
            onText={(amountOff) => onChange({ amountOff })}
          />
          <TextField
            label={`Only for orders from this amount on, in ${currency}`}
            inputMode="decimal"
            value={form.minTotal}
            problem={found["min_total_minor"]}
            onText={(minTotal) => onChange({ minTotal })}
          />
        </>
      )}
    </>
  );
}

function LimitFields({ form, found, onChange }: FieldsProps) {
  const coupon = form.kind === "coupon";
  return (
    <>
      <TextField
        label="Minutes"
        help="5 to 10 work best. Empty: until it is gone or the show is over."
        inputMode="numeric"
        list="offer-minutes"
        value={form.minutes}
        problem={found["minutes"]}
        onText={(minutes) => onChange({ minutes })}
      />
      <datalist id="offer-minutes">
        {MINUTES.map((minutes) => (
          <option key={minutes} value={minutes} />
        ))}
      </datalist>
      {form.kind !== "tiers" && (
        <TextField
          label={coupon ? "How often it can be used" : "How many at this price"}
          help={coupon ? undefined : "What viewers see is what is really left. Empty: no limit but the stock."}
          inputMode="numeric"
          value={form.units}
          problem={found["units"]}
          onText={(units) => onChange({ units })}
        />
      )}
      <TextField
        label={coupon ? "How often per buyer" : "At most per buyer"}
        inputMode="numeric"
        value={form.perBuyer}
        problem={found["per_buyer"]}
        onText={(perBuyer) => onChange({ perBuyer })}
      />
      <SegmentField value={form.segmentId} onChoose={(segmentId) => onChange({ segmentId })} />
      {!coupon && (
        <TextField
          label={form.segmentId ? "Minutes for them only, at the start" : "Minutes for members only, at the start"}
          help={form.segmentId ? "Then it is everybody’s. Empty: it is theirs alone." : undefined}
          inputMode="numeric"
          value={form.membersMinutes}
          problem={found["members_minutes"]}
          onText={(membersMinutes) => onChange({ membersMinutes })}
        />
      )}
      {!coupon && (
        <CheckField
          label="Only on our own page"
          help="Not by comments on other platforms."
          checked={form.ownSiteOnly}
          onCheck={(ownSiteOnly) => onChange({ ownSiteOnly })}
        />
      )}
      <CheckField
        label={coupon ? "Also on top of offers that allow it" : "Codes may come on top of it"}
        checked={form.stackable}
        onCheck={(stackable) => onChange({ stackable })}
      />
    </>
  );
}

function LivePreview({ wish, offsetMs }: { wish: OfferWish; offsetMs: number }) {
  const api = useOffersApi();
  const now = useNow(true) + offsetMs;
  const settled = useRested(JSON.stringify(wish));
  const preview = useQuery({
    queryKey: [...OFFERS, "preview", settled],
    queryFn: ({ signal }) => api.preview(JSON.parse(settled) as OfferWish, signal),
    placeholderData: (before) => before,
  });
  if (preview.error) return <Problem error={preview.error} retry={() => void preview.refetch()} />;
  if (!preview.data) return <p className="quiet-text">Working out what viewers will see…</p>;
  return <Preview preview={preview.data} nowMs={now} />;
}
