using System;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Altinn.App.Platform
{
    /// <summary>
    /// `*.localhost` means this machine, but not every resolver knows. In a cluster and in browsers such names are
    /// answered; where nobody answers, the request goes to 127.0.0.1 and keeps the name as its host.
    /// </summary>
    public class LocalNames : DelegatingHandler
    {
        private readonly ConcurrentDictionary<string, bool> known = new ConcurrentDictionary<string, bool>();

        public LocalNames(HttpMessageHandler inner)
            : base(inner)
        {
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
        {
            Uri address = request.RequestUri;
            if (address.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) && !await IsKnown(address.Host))
            {
                request.Headers.Host = address.Authority;
                request.RequestUri = new UriBuilder(address) { Host = "127.0.0.1" }.Uri;
            }

            return await base.SendAsync(request, stop);
        }

        private async Task<bool> IsKnown(string host)
        {
            if (known.ContainsKey(host))
            {
                return true;
            }

            try
            {
                // Only a name that was found is remembered: one that is not may be there a moment later.
                await Dns.GetHostAddressesAsync(host);
                return known.TryAdd(host, true) || known.ContainsKey(host);
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }
}
