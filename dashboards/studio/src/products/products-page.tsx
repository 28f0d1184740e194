import "./products.css";
import { type ProductFilter } from "@simulcast/api";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { AddProduct } from "./add-product";
import { ImportDialog } from "./import-dialog";
import { ProductCard } from "./product-card";
import { STATES } from "./product-words";
import { SyncPanel } from "./sync-panel";
import { listKey, useCatalog } from "./use-catalog";

const PAGE = 50;

export function ProductsPage({ currency }: { currency: string }) {
  const api = useCatalog();
  const [filter, setFilter] = useState<ProductFilter>({});
  const [open, setOpen] = useState<"add" | "import" | null>(null);
  const products = useInfiniteQuery({
    queryKey: listKey(filter),
    queryFn: ({ pageParam, signal }) => api.products(filter, pageParam, PAGE, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.length === PAGE ? (last.at(-1)?.id ?? null) : null),
    placeholderData: keepPreviousData,
  });
  const found = products.data?.pages.flat() ?? [];
  const filtered = Boolean(filter.q || filter.state);
  const add = (
    <button type="button" className="primary" onClick={() => setOpen("add")}>
      Add a product
    </button>
  );
  return (
    <div className="page stack">
      <title>Products · Studio</title>
      <div className="row spread">
        <h1>Products</h1>
        <div className="row">
          <a className="button" {...linkTo(PATHS.listings)}>
            Listings
          </a>
          <a className="button" href={api.exportUrl} download>
            Export
          </a>
          <button type="button" onClick={() => setOpen("import")}>
            Import
          </button>
          {found.length > 0 && add}
        </div>
      </div>
      {(found.length > 0 || filtered) && <Search filter={filter} onFilter={setFilter} />}
      {products.error && <Problem error={products.error} retry={() => void products.refetch()} />}
      {products.isPending && <Loading what="your products" />}
      {products.data && found.length === 0 && !filtered && (
        <Empty title="No products yet" action={add}>
          Add what you sell with its stock, import a file, or read a shop. All channels then sell from this one
          stock, and nothing is sold twice.
        </Empty>
      )}
      {products.data && found.length === 0 && filtered && (
        <Empty
          title="No product fits"
          action={
            <button type="button" onClick={() => setFilter({})}>
              Show all products
            </button>
          }
        >
          Look for words of a name or a part of a SKU. Archived products are shown when you choose them.
        </Empty>
      )}
      <ul className="stack" aria-label="Products" aria-busy={products.isPlaceholderData}>
        {found.map((product) => (
          <ProductCard key={product.id} product={product} />
        ))}
      </ul>
      {products.hasNextPage && (
        <button type="button" disabled={products.isFetching} onClick={() => void products.fetchNextPage()}>
          {products.isFetchingNextPage ? "Loading…" : "Show more products"}
        </button>
      )}
      <SyncPanel />
      {open === "add" && <AddProduct currency={currency} onClose={() => setOpen(null)} />}
      {open === "import" && <ImportDialog onClose={() => setOpen(null)} />}
    </div>
  );
}

function Search({ filter, onFilter }: { filter: ProductFilter; onFilter: (filter: ProductFilter) => void }) {
  const [words, setWords] = useState(filter.q ?? "");
  const search = (event: FormEvent) => {
    event.preventDefault();
    onFilter({ ...filter, q: words.trim() });
  };
  return (
    <search>
      <form className="product-search" onSubmit={search}>
        <TextField label="Search" type="search" placeholder="Name or SKU" value={words} onText={setWords} />
        <SelectField
          label="State"
          value={filter.state ?? ""}
          options={[
            { value: "", title: "On sale and drafts" },
            ...Object.entries(STATES).map(([value, { label }]) => ({ value, title: label })),
          ]}
          onChoose={(state) => onFilter({ ...filter, q: words.trim(), state: state as ProductFilter["state"] & string })}
        />
        <button>Search</button>
      </form>
    </search>
  );
}
