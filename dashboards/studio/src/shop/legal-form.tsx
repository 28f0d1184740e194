import type { AftersaleTerms, OrdersApi } from "@simulcast/api";
import { useQueryClient } from "@tanstack/react-query";
import { TERMS } from "../orders/use-orders";
import { Notice } from "../parts/notice";
import { TextArea } from "../parts/text-area";
import { TextField } from "../parts/text-field";
import { FormActions } from "./form-actions";
import { type LegalDraft, legalDraftOf, legalProblems, legalTermsOf, saysNothing } from "./legal-draft";
import { useSettingsForm } from "./use-settings-form";

interface Props {
  api: OrdersApi;
  terms: AftersaleTerms;
  currency: string;
}

/** Who sells, as invoices say it, and what counts after the sale. */
export function LegalForm({ api, terms, currency }: Props) {
  const cache = useQueryClient();
  const { form, draft, told, change, submit, discard, ...state } = useSettingsForm({
    before: legalDraftOf(terms, currency),
    problemsOf: (draft) => legalProblems(draft, currency),
    send: (draft) => api.changeTerms(legalTermsOf(draft, currency)),
    onSaved: (now: AftersaleTerms) => cache.setQueryData(TERMS, now),
  });
  const text = (name: keyof LegalDraft) => ({
    value: draft[name],
    onText: (typed: string) => change({ [name]: typed }),
  });
  const line = (name: keyof LegalDraft) => ({ ...text(name), problem: told[name] });
  const number = (name: keyof LegalDraft) => ({ ...line(name), inputMode: "numeric" as const });
  return (
    <form ref={form} className="stack" onSubmit={submit} noValidate>
      <section className="stack" aria-labelledby="legal">
        <h2 id="legal">Legal details</h2>
        {saysNothing(terms) && (
          <Notice tone="warn">Your invoices name no seller's address yet. Fill this in before the first sale.</Notice>
        )}
        <div className="card stack">
          <TextField
            label="Legal name"
            help="Empty: the brand's name. Invoices that were issued stay as they are."
            maxLength={200}
            {...line("legal_name")}
          />
          <TextArea label="Legal address" rows={3} maxLength={1000} {...text("legal_address")} />
          <TextField label="VAT number" maxLength={200} {...line("vat_id")} />
          <TextField
            label="Invoice numbers begin with"
            help="The number behind it counts on without a gap."
            {...line("invoice_prefix")}
          />
          <TextArea label="Below every invoice" rows={3} maxLength={1000} {...text("invoice_note")} />
        </div>
      </section>
      <section className="stack" aria-labelledby="after">
        <h2 id="after">After the sale</h2>
        <div className="card stack">
          <TextArea
            label="Return address"
            help="Empty: the legal address."
            rows={3}
            maxLength={1000}
            {...text("return_address")}
          />
          <TextField
            label="Days to ask for a return"
            help="From the delivery on. The 24 hours to cancel and the legal 14 days stand beside it."
            {...number("return_days")}
          />
          <TextField
            label="Longest delivery in days"
            help="Counted where no delivery is noted and the way of delivery names no time."
            {...number("longest_delivery_days")}
          />
          <TextField label="Mark customers from this many orders" {...number("returner_orders")} />
          <TextField
            label="… who return at least this many percent"
            help="Only shown to you. Nobody is refused by it."
            {...number("returner_percent")}
          />
          <TextField
            label={`Remind hosts of the return terms above a price of, in ${currency}`}
            help="Empty: never."
            inputMode="decimal"
            {...line("high_value_minor")}
          />
        </div>
      </section>
      <FormActions
        what="legal details"
        wrong={Object.keys(told).length > 0}
        onDiscard={discard}
        {...state}
      />
    </form>
  );
}
