import { useId } from "react";
import { TextField } from "../../parts/text-field";

interface Props {
  label: string;
  help: string;
  problem?: string | undefined;
  lines: number;
  value: string;
  onText: (text: string) => void;
}

/** One line of text, or several. */
export function LinesField({ lines, ...props }: Props) {
  return lines > 1 ? <Lines lines={lines} {...props} /> : <TextField {...props} autoComplete="off" />;
}

function Lines({ label, help, problem, lines, value, onText }: Props) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="bare"
        rows={lines}
        value={value}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-help ${id}-problem` : `${id}-help`}
        onChange={(event) => onText(event.target.value)}
      />
      <span className="quiet-text" id={`${id}-help`}>
        {help}
      </span>
      {problem && (
        <span className="problem" id={`${id}-problem`}>
          {problem}
        </span>
      )}
    </div>
  );
}
