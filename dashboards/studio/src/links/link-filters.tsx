import type { LinkFilter } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api";
import { SHOWS } from "../cache";
import { SaveAs, SearchForm } from "../parts/search-form";
import { SelectField } from "../parts/select-field";
import { PLACEMENTS } from "./link-words";

interface Props {
  filter: LinkFilter;
  onFilter: (filter: LinkFilter) => void;
  exportUrl: (kind: "csv" | "json", filter: LinkFilter) => string;
  onEverywhere: () => void;
}

const ANY = { value: "", title: "All" };
const KEPT = [
  { value: "no", title: "In use" },
  { value: "yes", title: "Archived" },
  { value: "all", title: "All" },
];

/** What to list; the files hold the same. */
export function LinkFilters({ filter, onFilter, exportUrl, onEverywhere }: Props) {
  const api = useApi();
  const shows = useQuery({ queryKey: SHOWS, queryFn: ({ signal }) => api.shows(signal) });
  const titles = (shows.data ?? []).map((show) => ({ value: show.id, title: show.title }));
  return (
    <search className="card stack">
      <SearchForm
        placeholder="Title, code, host, show or product"
        first={filter.q}
        onSearch={(q) => onFilter({ ...filter, q })}
      />
      <div className="filters">
        <SelectField
          label="Show"
          value={filter.show_id ?? ""}
          options={[ANY, ...titles]}
          onChoose={(show_id) => onFilter({ ...filter, show_id })}
        />
        <SelectField
          label="Place"
          value={filter.placement ?? ""}
          options={[ANY, ...Object.entries(PLACEMENTS).map(([value, title]) => ({ value, title }))]}
          onChoose={(placement) => onFilter({ ...filter, placement })}
        />
        <SelectField
          label="Which"
          value={filter.archived ?? "no"}
          options={KEPT}
          onChoose={(archived) => onFilter({ ...filter, archived: archived as "no" | "yes" | "all" })}
        />
      </div>
      <div className="row spread">
        <SaveAs what="links" urlOf={(kind) => exportUrl(kind, filter)} />
        {filter.show_id && (
          <button type="button" className="small" onClick={onEverywhere}>
            Post on all its platforms
          </button>
        )}
      </div>
    </search>
  );
}
