import "./shows.css";
import type { Connection, NewShow, Product, StockRules } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { SHOWS } from "../cache";
import { go, linkTo, PATHS } from "../navigation";
import { CheckField } from "../parts/check-field";
import { Problem } from "../parts/problem";
import { TextArea } from "../parts/text-area";
import { TextField } from "../parts/text-field";
import { plural } from "../parts/words";
import { CROWD } from "../show/platforms/draft";
import { stockChangeOf, stockDraftOf, stockProblems } from "../show/stock/stock-draft";
import { StockFields } from "../show/stock/stock-fields";
import { Choices } from "./choices";

/** What a show has unless somebody chooses otherwise. */
const USUAL: StockRules = { hold_policy: "hold", hold_seconds: null, units_per_buyer: 5, units_per_network: 40 };

export function PlanForm({ products, places }: { products: Product[]; places: Connection[] }) {
  const [title, setTitle] = useState("");
  const [description, setDescription] = useState("");
  const [startsAt, setStartsAt] = useState("");
  const [crowd, setCrowd] = useState(true);
  const [sold, setSold] = useState<string[]>([]);
  const [shown, setShown] = useState(() => places.filter(isReady).map((place) => place.id));
  const [stock, setStock] = useState(() => stockDraftOf(USUAL));
  const plan = usePlan();
  const problems = stockProblems(stock);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (Object.keys(problems).length) {
      const form = event.currentTarget;
      requestAnimationFrame(() => {
        const wrong = form.querySelector<HTMLElement>("[aria-invalid]");
        wrong?.closest("details")?.setAttribute("open", "");
        wrong?.focus();
      });
      return;
    }
    const rules = stockChangeOf(stock, USUAL);
    const show: NewShow = { title: title.trim(), product_ids: sold, target_connection_ids: shown, ...rules };
    if (description.trim()) show.description = description.trim();
    if (!crowd) show.viewers_shown = false;
    if (startsAt) show.starts_at = new Date(startsAt).toISOString();
    if (!plan.isPending) plan.mutate(show);
  };
  return (
    <form className="stack" onSubmit={submit}>
      <div className="card stack">
        <TextField label="Title" required maxLength={200} autoFocus value={title} onText={setTitle} />
        <TextArea
          label="Description (optional)"
          maxLength={5000}
          value={description}
          onText={setDescription}
        />
        <TextField
          label="Starts at (optional)"
          help="Your watch page and the platforms that can will announce it. It goes live when you press “Go live”."
          type="datetime-local"
          value={startsAt}
          onText={setStartsAt}
        />
        <CheckField label={CROWD.label} help={CROWD.help} checked={crowd} onCheck={setCrowd} />
      </div>
      <Choices
        legend="What you sell"
        options={products.map((one) => ({ id: one.id, title: one.title, detail: skusOf(one) }))}
        chosen={sold}
        onChoose={setSold}
        empty={
          <>
            There are no products yet. <a {...linkTo(PATHS.products)}>Add products</a> first, or plan without.
          </>
        }
      />
      <details className="card">
        <summary>How the stock is shared out</summary>
        <div className="stack">
          <StockFields
            draft={stock}
            problems={problems}
            onDraft={(part) => setStock((before) => ({ ...before, ...part }))}
          />
        </div>
      </details>
      <Choices
        legend="Where it plays"
        note="Your own watch page always plays the show."
        options={places.map((one) => ({
          id: one.id,
          title: one.name,
          detail: isReady(one) ? one.title : `${one.title}: must be linked again before the show`,
        }))}
        chosen={shown}
        onChoose={setShown}
        empty={
          <>
            No platform is linked yet. <a {...linkTo(PATHS.connections)}>Link an account</a>, or add it to the
            show later.
          </>
        }
      />
      <Problem error={plan.error} />
      <div className="row">
        <button className="primary" aria-disabled={plan.isPending}>
          {plan.isPending ? "Planning…" : "Plan show"}
        </button>
        <a className="button" {...linkTo(PATHS.shows)}>
          Cancel
        </a>
      </div>
    </form>
  );
}

function usePlan() {
  const api = useApi();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (show: NewShow) => api.addShow(show),
    onSuccess: (show) => {
      void cache.invalidateQueries({ queryKey: SHOWS });
      go(PATHS.show(show.id));
    },
  });
}

function isReady(connection: Connection): boolean {
  return connection.state === "ok";
}

function skusOf({ variants }: Product): string {
  const left = variants.reduce((sum, variant) => sum + variant.stock.available, 0);
  return `${variants.map((variant) => variant.sku).join(", ")}: ${plural(left, "piece")} left`;
}
