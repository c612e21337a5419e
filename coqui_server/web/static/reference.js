// Starts Swagger UI; both scripts are deferred, so it is there by now.
import { address } from "./address.js";

window.SwaggerUIBundle({ url: address("/openapi.json"), dom_id: "#reference", deepLinking: true });
