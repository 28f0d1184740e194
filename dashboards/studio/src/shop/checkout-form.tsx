import type { CheckoutSettings, SettingsApi } from "@simulcast/api";
import { useQueryClient } from "@tanstack/react-query";
import { CHECKOUT_SETTINGS } from "../cache";
import { DeliveryFields } from "./delivery-fields";
import { FormActions } from "./form-actions";
import { settingsOf, shopDraftOf, shopProblems } from "./shop-draft";
import { TaxFields } from "./tax-fields";
import { TermsFields } from "./terms-fields";
import { useSettingsForm } from "./use-settings-form";

interface Props {
  api: SettingsApi;
  settings: CheckoutSettings;
  currency: string;
}

/** Delivery, tax and terms are one document, saved as a whole. */
export function CheckoutForm({ api, settings, currency }: Props) {
  const cache = useQueryClient();
  const { form, draft, told, change, submit, discard, ...state } = useSettingsForm({
    before: shopDraftOf(settings, currency),
    problemsOf: (draft) => shopProblems(draft, currency),
    send: (draft) => api.changeCheckout(settingsOf(draft, currency)),
    onSaved: (now: CheckoutSettings) => cache.setQueryData(CHECKOUT_SETTINGS, now),
  });
  return (
    <form ref={form} className="stack" onSubmit={submit} noValidate>
      <DeliveryFields
        methods={draft.methods}
        currency={currency}
        problems={told}
        onMethods={(methods) => change({ methods })}
      />
      <TaxFields draft={draft} problems={told} onDraft={change} />
      <TermsFields draft={draft} currency={currency} problems={told} onDraft={change} />
      <FormActions
        what="delivery, taxes and terms"
        wrong={Object.keys(told).length > 0}
        onDiscard={discard}
        {...state}
      />
    </form>
  );
}
