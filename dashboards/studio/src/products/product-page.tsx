import "./products.css";
import { ApiError, type CatalogProduct } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { PRODUCTS } from "../cache";
import { linkTo, PATHS } from "../navigation";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { Problem } from "../parts/problem";
import { ProductForm } from "./product-form";
import { STATES } from "./product-words";
import { productKey, useCatalog } from "./use-catalog";

/** One product, to be read and edited. */
export function ProductPage({ id }: { id: string }) {
  const api = useCatalog();
  const product = useQuery({
    queryKey: productKey(id),
    queryFn: ({ signal }) => api.product(id, signal),
    // What is being typed must not be replaced while somebody looks away.
    refetchOnWindowFocus: false,
    staleTime: Infinity,
  });
  const missing = product.error instanceof ApiError && product.error.status === 404;
  return (
    <div className="page stack">
      <title>{`${product.data?.title ?? "Product"} · Studio`}</title>
      <p>
        <a {...linkTo(PATHS.products)}>All products</a>
      </p>
      {product.isPending && <Loading what="the product" />}
      {product.error && (
        <Problem error={product.error} {...(missing ? {} : { retry: () => void product.refetch() })} />
      )}
      {product.data && <Editor product={product.data} reload={() => void product.refetch()} />}
    </div>
  );
}

function Editor({ product, reload }: { product: CatalogProduct; reload: () => void }) {
  const api = useCatalog();
  const cache = useQueryClient();
  const [undo, setUndo] = useState<CatalogProduct["state"] | null>(null);
  const [savedAs, setSavedAs] = useState<number | null>(null);
  const keep = (now: CatalogProduct) => {
    cache.setQueryData(productKey(now.id), now);
    // All but this very document, which is the newest.
    return cache.invalidateQueries({ queryKey: PRODUCTS, predicate: ({ queryKey }) => queryKey[1] !== "one" });
  };
  const turn = useMutation({
    mutationFn: (to: CatalogProduct["state"]) =>
      to === "archived" ? api.archive(product.id) : api.restore(product.id, to),
    onSuccess: (now, to) => {
      setUndo(to === "archived" ? product.state : null);
      return keep(now);
    },
  });
  const state = STATES[product.state];
  const archived = product.state === "archived";
  return (
    <>
      <div className="row spread">
        <div className="row">
          <h1 className="wrap">{product.title}</h1>
          <Pill tone={state.tone}>{state.label}</Pill>
        </div>
        {!archived && (
          <button type="button" disabled={turn.isPending} onClick={() => turn.mutate("archived")}>
            Archive
          </button>
        )}
      </div>
      <Problem error={turn.error} />
      {archived && (
        <Notice
          tone="warn"
          action={
            <button
              type="button"
              className="small"
              disabled={turn.isPending}
              onClick={() => turn.mutate(undo === "draft" ? "draft" : "active")}
            >
              {undo ? "Undo" : "Put back on sale"}
            </button>
          }
        >
          Archived: it is sold nowhere, and nothing of it is lost. Orders and stock stay.
        </Notice>
      )}
      {/* A new version is a new form: what was typed for another one is gone, as the button says. */}
      <ProductForm
        key={product.version}
        product={product}
        saved={savedAs === product.version}
        onSaved={(now) => {
          setSavedAs(now.version);
          return keep(now);
        }}
        onReload={reload}
      />
    </>
  );
}
