// A route that fails, and Express's own report of it.
const express = require('express');
const app = express();

function charge(order) { return order.total.amount; }

app.get('/orders', function listOrders(request, response) { response.send(charge({})); });
const server = app.listen(0, () => {
  require('http').get({ port: server.address().port, path: '/orders' }, (reply) => { reply.resume(); server.close(); });
});
