import { useId } from "react";

interface Props {
  label: string;
  help?: string | undefined;
  checked: boolean;
  onCheck: (checked: boolean) => void;
}

/** A labelled yes or no. */
export function CheckField({ label, help, checked, onCheck }: Props) {
  const id = useId();
  return (
    <div className="field">
      <div className="check">
        <input
          id={id}
          type="checkbox"
          checked={checked}
          aria-describedby={help ? `${id}-help` : undefined}
          onChange={(event) => onCheck(event.target.checked)}
        />
        <label htmlFor={id}>{label}</label>
      </div>
      {help && (
        <span className="quiet-text" id={`${id}-help`}>
          {help}
        </span>
      )}
    </div>
  );
}
