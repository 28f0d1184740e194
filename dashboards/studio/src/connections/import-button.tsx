import { useMutation } from "@tanstack/react-query";
import { importListings } from "../api";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { plural } from "../parts/words";

/** Ties what a shop lists to our products by SKU. */
export function ImportButton({ id }: { id: string }) {
  const load = useMutation({ mutationFn: () => importListings(id) });
  return (
    <>
      <button type="button" className="small" disabled={load.isPending} onClick={() => load.mutate()}>
        {load.isPending ? "Reading the shop…" : "Import listings"}
      </button>
      {load.data && (
        <Notice tone={load.data.unknown ? "warn" : "good"}>
          {plural(load.data.linked, "listing")} tied to your products.{" "}
          {load.data.unknown > 0 &&
            `${plural(load.data.unknown, "listing")} with a SKU that none of your products has. ` +
              "Add those products, then import again."}
        </Notice>
      )}
      <Problem error={load.error} />
    </>
  );
}
