import { BagIcon, HeartIcon, ReceiptIcon } from "./icons";

/** Only what the shop's own programs do; what people promise is for the people of the shop to add. */
export function Promises({ className }: { className: string }) {
  return (
    <ul className={className}>
      <li>
        <HeartIcon /> Existencias al día
      </li>
      <li>
        <BagIcon /> Tu carrito queda apartado un rato
      </li>
      <li>
        <ReceiptIcon /> Un solo pedido, aunque falle tu conexión
      </li>
    </ul>
  );
}
