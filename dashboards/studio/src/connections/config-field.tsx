import { useId } from "react";
import { TextField } from "../parts/text-field";
import type { FormField } from "./form";

interface Props {
  field: FormField;
  value: string;
  problem: string | undefined;
  onText: (text: string) => void;
}

export function ConfigField({ field, value, problem, onText }: Props) {
  if (field.kind === "switch") return <Switch field={field} value={value} onText={onText} />;
  if (field.kind === "choice") return <Choice field={field} value={value} onText={onText} />;
  return (
    <TextField
      label={field.title}
      help={field.help || undefined}
      problem={problem}
      type={field.kind === "secret" ? "password" : "text"}
      inputMode={field.kind === "number" ? "decimal" : undefined}
      autoComplete={field.kind === "secret" ? "new-password" : "off"}
      spellCheck={false}
      value={value}
      onText={onText}
    />
  );
}

function Switch({ field, value, onText }: Omit<Props, "problem">) {
  const id = useId();
  return (
    <div className="field">
      <div className="check">
        <input
          id={id}
          type="checkbox"
          checked={value === "true"}
          aria-describedby={`${id}-help`}
          onChange={(event) => onText(String(event.target.checked))}
        />
        <label htmlFor={id}>{field.title}</label>
      </div>
      <span className="quiet-text" id={`${id}-help`}>
        {field.help}
      </span>
    </div>
  );
}

function Choice({ field, value, onText }: Omit<Props, "problem">) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{field.title}</label>
      <select
        id={id}
        value={value}
        aria-describedby={`${id}-help`}
        onChange={(event) => onText(event.target.value)}
      >
        {field.options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
      <span className="quiet-text" id={`${id}-help`}>
        {field.help}
      </span>
    </div>
  );
}
