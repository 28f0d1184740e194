import { useId } from "react";

interface Props {
  label: string;
  help?: string | undefined;
  value: string;
  rows?: number;
  maxLength?: number;
  onText: (text: string) => void;
}

/** A labelled text of several lines. */
export function TextArea({ label, help, onText, rows = 4, ...area }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        {...area}
        id={id}
        rows={rows}
        className="bare"
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(event) => onText(event.target.value)}
      />
      {help && (
        <span className="quiet-text" id={`${id}-help`}>
          {help}
        </span>
      )}
    </div>
  );
}
