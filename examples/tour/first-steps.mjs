export async function firstSteps(stage) {
  const zk = await stage.connect();
  stage.say(`connected to ${zk.session.server}; session ${zk.session}, timeout ${zk.session.timeout} ms`);
  stage.check('the state is connected', zk.state, 'connected');

  stage.say('create /shop/greeting with its parent; create an ephemeral and a sequential znode');
  const { zxid } = await zk.create('/shop/greeting', 'hello', { parents: true });
  await zk.create('/shop/alive', null, { mode: 'ephemeral' });
  const order = await zk.create('/shop/order-', '1 apple', { mode: 'persistentSequential' });
  await stage.show('/shop');
  stage.check('the server has what was written', (await stage.observer.getData('/shop/greeting')).text(), 'hello');
  stage.check('the zxid of the creation is the czxid', (await zk.getData('/shop/greeting')).stat.czxid.equals(zxid));
  stage.check('the server numbered the order', order.path, `/shop/order-${String(order.sequence).padStart(10, '0')}`);

  stage.say('watch /shop/greeting, while another session changes it');
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  await zk.getData('/shop/greeting', { watch: tell });
  await stage.observer.setData('/shop/greeting', 'good morning', 0);
  const event = await stage.soon('the watch tells of the change', told);
  stage.check('it names the change and the path', `${event.type} ${event.path}`, 'dataChanged /shop/greeting');
  await stage.show('/shop/greeting');

  stage.say('two writes in a transaction, of which the second one is impossible');
  const error = await zk
    .transaction()
    .setData('/shop/greeting', 'good night')
    .create('/shop/alive')
    .commit()
    .catch((reason) => reason);
  stage.check('the error tells why, and which one', [error.code, error.transaction?.index], ['NODE_EXISTS', 1]);
  stage.check('nothing was applied', (await zk.getData('/shop/greeting')).text(), 'good morning');

  stage.say('close the client');
  await zk.close();
  const left = (await stage.observer.getChildren('/shop')).sort();
  stage.check('its ephemeral znode is gone, the others stay', left, ['greeting', order.name]);
  await stage.show('/shop');
}
