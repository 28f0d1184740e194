import { ApiError, type CatalogProduct, type ProductChange } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { CheckField } from "../parts/check-field";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextArea } from "../parts/text-area";
import { TextField } from "../parts/text-field";
import { plural } from "../parts/words";
import { MediaFields } from "./media-fields";
import { changeOf, draftOf, newVariant, problemsOf, type ProductDraft } from "./product-draft";
import { useCatalog } from "./use-catalog";
import { VariantFields } from "./variant-fields";

interface Props {
  product: CatalogProduct;
  /** It was saved a moment ago, by the form before this one. */
  saved: boolean;
  onSaved: (product: CatalogProduct) => unknown;
  onReload: () => void;
}

const ON_SALE = [
  { value: "active", title: "On sale" },
  { value: "draft", title: "Draft: nobody sees it" },
];

export function ProductForm({ product, saved, onSaved, onReload }: Props) {
  const api = useCatalog();
  const [draft, setDraft] = useState(() => draftOf(product));
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const save = useMutation({
    mutationFn: (change: ProductChange) => api.change(product.id, change),
    onSuccess: onSaved,
  });
  const found = problemsOf(draft);
  const problems = tried ? found : {};
  const set = (part: Partial<ProductDraft>) => setDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const change = changeOf(draft, product.version);
    if (change && !save.isPending) save.mutate(change);
    // After the problems are drawn: to the first of them.
    else requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
  };
  const archived = product.state === "archived";
  const stale = save.error instanceof ApiError && save.error.code === "stale";
  return (
    <form ref={form} className="stack product-form" onSubmit={submit} noValidate>
      <section className="card stack" aria-label="The product">
        <TextField
          label="Name"
          maxLength={200}
          problem={problems["title"]}
          value={draft.title}
          onText={(title) => set({ title })}
        />
        <TextArea
          label="Description"
          maxLength={5000}
          value={draft.description}
          onText={(description) => set({ description })}
        />
        <div className="two">
          {!archived && (
            <SelectField
              label="State"
              value={draft.state}
              options={ON_SALE}
              onChoose={(state) => set({ state: state === "draft" ? "draft" : "active" })}
            />
          )}
          <TextField
            label="Tax class"
            help="Standard, or one of those you set rates for."
            problem={problems["taxClass"]}
            value={draft.taxClass}
            onText={(taxClass) => set({ taxClass })}
          />
        </div>
        <CheckField
          label="Only while a show is live"
          help="Before and after, and in the replay, nobody can buy it."
          checked={draft.liveOnly}
          onCheck={(liveOnly) => set({ liveOnly })}
        />
        <CheckField
          label="Only on your own site"
          help="Your shops elsewhere are told that there are none."
          checked={draft.ownSiteOnly}
          onCheck={(ownSiteOnly) => set({ ownSiteOnly })}
        />
        <TextArea
          label="Returns"
          help="Viewers read it with the product, before they buy."
          maxLength={5000}
          rows={3}
          value={draft.returnPolicy}
          onText={(returnPolicy) => set({ returnPolicy })}
        />
      </section>
      <MediaFields media={draft.media} problems={problems} onChange={(media) => set({ media })} />
      {draft.variants.map((variant, index) => (
        <VariantFields
          key={variant.key}
          variant={variant}
          saved={product.variants.find((one) => one.id === variant.id)}
          at={`variants.${index}`}
          problems={problems}
          onChange={(changed) => set({ variants: draft.variants.with(index, changed) })}
          {...(variant.id ? {} : { onRemove: () => set({ variants: draft.variants.toSpliced(index, 1) }) })}
        />
      ))}
      <div className="row">
        <button
          type="button"
          onClick={() =>
            set({ variants: [...draft.variants, newVariant(draft, product.variants[0]?.currency ?? "EUR")] })
          }
        >
          Add a variant
        </button>
      </div>
      <div className="save-bar stack tight">
        {tried && Object.keys(found).length > 0 && (
          <Notice tone="bad">{`Mend ${plural(Object.keys(found).length, "field")} first.`}</Notice>
        )}
        <Problem error={save.error} {...(stale ? { retry: onReload } : {})} />
        <div className="row">
          <button className="primary" aria-disabled={save.isPending}>
            {save.isPending ? "Saving…" : "Save product"}
          </button>
          <button type="button" onClick={() => setDraft(draftOf(product))}>
            Discard changes
          </button>
          <span role="status">{saved && !save.isPending ? "Saved." : ""}</span>
        </div>
      </div>
    </form>
  );
}
