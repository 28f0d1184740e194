import { ApiError, type Variant } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../api";
import { PRODUCTS } from "../cache";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { countOf } from "./amounts";

export function AdjustStock(props: { product: string; variant: Variant; onClose: () => void }) {
  const { product, variant, onClose } = props;
  const [onHand, setOnHand] = useState(String(variant.stock.on_hand));
  const [reason, setReason] = useState("Counted");
  const api = useApi();
  const cache = useQueryClient();
  const reload = () => cache.invalidateQueries({ queryKey: PRODUCTS });
  const adjust = useMutation({
    mutationFn: (count: number) =>
      api.setStock(variant.id, { on_hand: count, version: variant.stock.version, reason: reason.trim() }),
    onSuccess: async () => {
      await reload();
      onClose();
    },
  });
  const count = countOf(onHand);
  const stale = adjust.error instanceof ApiError && adjust.error.code === "stale";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (count !== null && !adjust.isPending) adjust.mutate(count);
  };
  const look = () => void reload().then(onClose);
  const promised = variant.stock.held + variant.stock.committed;
  return (
    <Dialog title={`Stock of ${product}`} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        <TextField
          label="On hand"
          help={`Pieces in the house, with the ${promised} already held or sold.`}
          inputMode="numeric"
          problem={count === null ? "Enter a whole number." : undefined}
          value={onHand}
          onText={setOnHand}
        />
        <TextField label="Why" help="Kept with the change." required value={reason} onText={setReason} />
        <Problem error={adjust.error} {...(stale ? { retry: look } : {})} />
        <div className="row">
          <button
            className="primary"
            disabled={count === null || !reason.trim()}
            aria-disabled={adjust.isPending}
          >
            Save stock
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
