import type { Choice, PersonFilter } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
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
  const [words, setWords] = useState(filter.words ?? "");
  const search = (event: FormEvent) => {
    event.preventDefault();
    onFilter({ ...filter, words: words.trim() });
  };
  return (
    <search className="card stack">
      <form className="row search" onSubmit={search}>
        <TextField
          label="Search"
          type="search"
          placeholder="Name, e-mail address or phone number"
          value={words}
          onText={setWords}
        />
        <button className="primary">Search</button>
      </form>
      <div className="order-filters">
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
      <p className="quiet-text">
        Save these people as <a href={exportUrl("csv", filter)}>a table (CSV)</a> or as{" "}
        <a href={exportUrl("json", filter)}>data (JSON)</a>.
      </p>
    </search>
  );
}
