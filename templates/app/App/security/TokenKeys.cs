using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Altinn.App.Platform;

namespace Altinn.App.Security
{
    /// <summary>
    /// The keys with which the platform signs its tokens, from its OpenID document. They are kept, and asked for
    /// again when a token names a key that is not among them.
    /// </summary>
    public class TokenKeys
    {
        /// <summary>Tokens with made-up key ids must not make us ask without end.</summary>
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
        private static readonly TimeSpan Age = TimeSpan.FromHours(1);

        private readonly PlatformClient platform;
        private readonly PlatformSettings settings;
        private readonly SemaphoreSlim asking = new SemaphoreSlim(1);
        private volatile KeySet keys = new KeySet();

        public TokenKeys(PlatformClient platform, PlatformSettings settings)
        {
            this.platform = platform;
            this.settings = settings;
        }

        /// <summary>The key of this id and who issues its tokens; null when the platform has no such key.</summary>
        public async Task<(RSAParameters Key, string Issuer)?> Find(string id)
        {
            if (keys.Has(id, Age, out var known))
            {
                return known;
            }

            await asking.WaitAsync();
            try
            {
                // Somebody else may have asked meanwhile.
                if (!keys.Has(id, Age, out known) && keys.IsOlderThan(Pause))
                {
                    keys = await Ask();
                    keys.Has(id, Age, out known);
                }
            }
            finally
            {
                asking.Release();
            }

            return known;
        }

        private async Task<KeySet> Ask()
        {
            JsonElement document = await platform.Public(new Uri(settings.OpenId, ".well-known/openid-configuration"));
            JsonElement set = await platform.Public(new Uri(settings.OpenId, document.GetProperty("jwks_uri").GetString()));
            var found = new KeySet { Issuer = document.GetProperty("issuer").GetString(), Since = DateTime.UtcNow };
            foreach (JsonElement key in set.GetProperty("keys").EnumerateArray())
            {
                if (key.GetProperty("kty").GetString() == "RSA")
                {
                    found.Keys[key.GetProperty("kid").GetString()] = new RSAParameters
                    {
                        Modulus = Jwt.Decode(key.GetProperty("n").GetString()),
                        Exponent = Jwt.Decode(key.GetProperty("e").GetString()),
                    };
                }
            }

            return found;
        }

        private class KeySet
        {
            public string Issuer { get; set; }

            public DateTime Since { get; set; } = DateTime.MinValue;

            public Dictionary<string, RSAParameters> Keys { get; } = new Dictionary<string, RSAParameters>();

            public bool IsOlderThan(TimeSpan age) => DateTime.UtcNow - Since > age;

            public bool Has(string id, TimeSpan age, out (RSAParameters Key, string Issuer)? found)
            {
                found = !IsOlderThan(age) && Keys.TryGetValue(id, out RSAParameters key) ? (key, Issuer) : ((RSAParameters, string)?)null;
                return found != null;
            }
        }
    }
}
