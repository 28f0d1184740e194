import { type FormEvent, useState } from "react";
import { TextField } from "./text-field";

interface Props {
  placeholder: string;
  /** What is searched for at first. */
  first: string | undefined;
  onSearch: (words: string) => void;
}

/** Words to look for; asked for when they are complete, not letter by letter. */
export function SearchForm({ placeholder, first = "", onSearch }: Props) {
  const [words, setWords] = useState(first);
  const search = (event: FormEvent) => {
    event.preventDefault();
    onSearch(words.trim());
  };
  return (
    <form className="row search" onSubmit={search}>
      <TextField label="Search" type="search" placeholder={placeholder} value={words} onText={setWords} />
      <button className="primary">Search</button>
    </form>
  );
}

/** The same list as files; `what`: "orders". */
export function SaveAs({ what, urlOf }: { what: string; urlOf: (kind: "csv" | "json") => string }) {
  return (
    <p className="quiet-text">
      Save these {what} as <a href={urlOf("csv")}>a table (CSV)</a> or as <a href={urlOf("json")}>data (JSON)</a>.
    </p>
  );
}
