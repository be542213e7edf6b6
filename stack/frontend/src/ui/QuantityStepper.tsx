interface Props {
  label: string;
  value: number;
  min?: number;
  max: number;
  disabled?: boolean;
  onChange: (value: number) => void;
}

export function QuantityStepper({ label, value, min = 1, max, disabled = false, onChange }: Props) {
  return (
    <div className="stepper" role="group" aria-label={label}>
      <button type="button" aria-label="Quitar uno" disabled={disabled || value <= min} onClick={() => onChange(value - 1)}>
        <span aria-hidden="true">−</span>
      </button>
      <output aria-label="Cantidad">{value}</output>
      <button type="button" aria-label="Agregar uno" disabled={disabled || value >= max} onClick={() => onChange(value + 1)}>
        <span aria-hidden="true">+</span>
      </button>
    </div>
  );
}
