import { STATES, type AddressErrors, type AddressForm } from "../checkout/address";
import { Field } from "./Field";

interface Props {
  form: AddressForm;
  errors: AddressErrors;
  onChange: (name: keyof AddressForm, value: string) => void;
}

export function AddressFields({ form, errors, onChange }: Props) {
  const bind = (name: keyof AddressForm) => ({
    id: name,
    name,
    value: form[name],
    error: errors[name],
    onChange: (event: { target: { value: string } }) => onChange(name, event.target.value),
  });
  return (
    <>
      <Field {...bind("recipient")} className="field--wide" label="Quién recibe" autoComplete="shipping name" maxLength={120} />
      <Field
        {...bind("street")}
        className="field--wide"
        label="Calle y número"
        autoComplete="shipping address-line1"
        maxLength={200}
      />
      <Field
        {...bind("neighborhood")}
        label="Colonia"
        optional
        autoComplete="shipping address-level3"
        maxLength={120}
      />
      <Field
        {...bind("postalCode")}
        label="Código postal"
        inputMode="numeric"
        autoComplete="shipping postal-code"
        maxLength={5}
      />
      <Field {...bind("city")} label="Ciudad" autoComplete="shipping address-level2" maxLength={120} />
      <div className="field">
        <label htmlFor="state">Estado</label>
        <select
          id="state"
          name="state"
          autoComplete="shipping address-level1"
          value={form.state}
          onChange={(event) => onChange("state", event.target.value)}
        >
          {STATES.map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </div>
      <Field
        {...bind("phone")}
        className="field--wide"
        label="Teléfono"
        optional
        hint="Solo para avisarte cuando el repartidor esté en camino."
        type="tel"
        autoComplete="shipping tel"
        maxLength={30}
      />
    </>
  );
}
