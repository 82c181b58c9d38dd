// The real PDS and PLC directory on loopback, until standard input ends. Prints one line of JSON.
import { TestNetworkNoAppView } from '@atproto/dev-env'

const network = await TestNetworkNoAppView.create({})
process.stdout.write(JSON.stringify({ url: network.pds.url }) + '\n')
process.stdin.resume()
process.stdin.on('end', async () => {
  await network.close().catch(() => {})
  process.exit(0)
})
