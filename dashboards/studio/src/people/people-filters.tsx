import type { Choice, PersonFilter } from "@simulcast/api";
import { SaveAs, SearchForm } from "../parts/search-form";
import { SelectField } from "../parts/select-field";
import { platformName } from "../parts/words";

interface Props {
  filter: PersonFilter;
  onFilter: (filter: PersonFilter) => void;
  exportUrl: (kind: "csv" | "json", filter: PersonFilter) => string;
}

const CHANNELS = ["own", "tiktok_shop", "shopify", "woocommerce"].map((value) => ({
  value,
  title: platformName(value),
}));
const ANY = { value: "", title: "All" };
const CHOICES = [ANY, { value: "yes", title: "Yes" }, { value: "no", title: "No" }];
const QUESTIONS = [
  { name: "bought", label: "Bought something" },
  { name: "member", label: "Is a member" },
  { name: "migrated", label: "Came over to your site" },
  { name: "suggested", label: "May be somebody else too" },
] as const;

/** Whom to list; the files hold the same. */
export function PeopleFilters({ filter, onFilter, exportUrl }: Props) {
  return (
    <search className="card stack">
      <SearchForm
        placeholder="Name, e-mail address or phone number"
        first={filter.words}
        onSearch={(words) => onFilter({ ...filter, words })}
      />
      <div className="filters">
        <SelectField
          label="Bought on"
          value={filter.channel ?? ""}
          options={[ANY, ...CHANNELS]}
          onChoose={(channel) => onFilter({ ...filter, channel })}
        />
        {QUESTIONS.map(({ name, label }) => (
          <SelectField
            key={name}
            label={label}
            value={filter[name] ?? ""}
            options={CHOICES}
            onChoose={(choice) => onFilter({ ...filter, [name]: choice as Choice })}
          />
        ))}
      </div>
      <SaveAs what="people" urlOf={(kind) => exportUrl(kind, filter)} />
    </search>
  );
}
