// Starts Swagger UI; both scripts are deferred, so it is there by now.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", deepLinking: true });
