import type { ShippingAddress } from "../api/types";

export type AddressForm = Record<keyof ShippingAddress, string>;
export type AddressErrors = Partial<Record<keyof ShippingAddress, string>>;

export const STATES = [
  "Aguascalientes", "Baja California", "Baja California Sur", "Campeche", "Chiapas", "Chihuahua", "Ciudad de México",
  "Coahuila", "Colima", "Durango", "Estado de México", "Guanajuato", "Guerrero", "Hidalgo", "Jalisco", "Michoacán",
  "Morelos", "Nayarit", "Nuevo León", "Oaxaca", "Puebla", "Querétaro", "Quintana Roo", "San Luis Potosí", "Sinaloa",
  "Sonora", "Tabasco", "Tamaulipas", "Tlaxcala", "Veracruz", "Yucatán", "Zacatecas",
] as const;

export function initialForm(address: ShippingAddress | undefined, recipient: string): AddressForm {
  return {
    recipient: address?.recipient ?? recipient,
    street: address?.street ?? "",
    neighborhood: address?.neighborhood ?? "",
    city: address?.city ?? "Torreón",
    state: address?.state ?? "Coahuila",
    postalCode: address?.postalCode ?? "",
    phone: address?.phone ?? "",
  };
}

export function validateAddress(form: AddressForm): AddressErrors {
  const errors: AddressErrors = {};
  if (!form.recipient.trim()) errors.recipient = "Escribe quién recibe el pedido.";
  if (!form.street.trim()) errors.street = "Escribe la calle y el número.";
  if (!form.city.trim()) errors.city = "Escribe la ciudad.";
  if (!form.state) errors.state = "Elige el estado.";
  if (!/^\d{5}$/.test(form.postalCode.trim())) errors.postalCode = "El código postal tiene 5 números.";
  const digits = form.phone.replace(/\D/g, "");
  if (form.phone.trim() && (digits.length < 10 || digits.length > 13)) errors.phone = "Escribe los 10 números del teléfono.";
  return errors;
}

/** As the API wants it: trimmed, and without the fields that were left blank. */
export function toAddress(form: AddressForm): ShippingAddress {
  const neighborhood = form.neighborhood.trim();
  const phone = form.phone.trim();
  return {
    recipient: form.recipient.trim(),
    street: form.street.trim(),
    city: form.city.trim(),
    state: form.state,
    postalCode: form.postalCode.trim(),
    ...(neighborhood && { neighborhood }),
    ...(phone && { phone }),
  };
}
