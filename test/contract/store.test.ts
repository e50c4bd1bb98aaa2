import { STORE_DRIVERS, type DriverName } from "../fixtures/store-drivers.ts";
import { storeContract } from "./store-contract.ts";

for (const name of Object.keys(STORE_DRIVERS) as DriverName[]) storeContract(name);
