import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { PRODUCTS } from "../cache";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { countOf, minorOf } from "./amounts";

const BLANK = { title: "", sku: "", price: "", onHand: "", picture: "" };

export function AddProduct({ currency, onClose }: { currency: string; onClose: () => void }) {
  const [typed, setTyped] = useState(BLANK);
  const [tried, setTried] = useState(false);
  const api = useApi();
  const cache = useQueryClient();
  const price = minorOf(typed.price, currency);
  const onHand = countOf(typed.onHand);
  const add = useMutation({
    mutationFn: (numbers: { price_minor: number; on_hand: number }) =>
      api.addProduct({
        title: typed.title.trim(),
        ...(typed.picture.trim() ? { image_url: typed.picture.trim() } : {}),
        variants: [{ sku: typed.sku.trim(), title: "", currency, ...numbers }],
      }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: PRODUCTS });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const complete = typed.title.trim() && typed.sku.trim() && price !== null && onHand !== null;
    if (complete && !add.isPending) add.mutate({ price_minor: price, on_hand: onHand });
  };
  const field = (name: keyof typeof BLANK, wrong: string | false) => ({
    value: typed[name],
    onText: (text: string) => setTyped({ ...typed, [name]: text }),
    problem: (tried && wrong) || undefined,
  });
  return (
    <Dialog title="Add a product" onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextField
          label="Name"
          maxLength={200}
          {...field("title", !typed.title.trim() && "Give it a name.")}
        />
        <div className="two">
          <TextField
            label="SKU"
            help="The same as in your shops."
            maxLength={64}
            {...field("sku", !typed.sku.trim() && "Enter its SKU.")}
          />
          <TextField
            label={`Price in ${currency}`}
            help="For example 24.90"
            inputMode="decimal"
            {...field("price", price === null && "Enter a price, for example 24.90.")}
          />
          <TextField
            label="On hand"
            inputMode="numeric"
            {...field("onHand", onHand === null && "Enter a whole number.")}
          />
        </div>
        <TextField
          label="Picture (optional)"
          help="Its https address."
          type="url"
          {...field("picture", false)}
        />
        <Problem error={add.error} />
        <div className="row">
          <button className="primary" aria-disabled={add.isPending}>
            Add product
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
