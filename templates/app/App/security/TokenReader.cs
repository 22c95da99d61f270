using System;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Tasks;

namespace Altinn.App.Security
{
    /// <summary>Believes a token, or does not: its signature, its issuer and its time.</summary>
    public class TokenReader
    {
        /// <summary>Clocks of two machines differ by this much.</summary>
        private const int Skew = 10;

        private readonly TokenKeys keys;

        public TokenReader(TokenKeys keys)
        {
            this.keys = keys;
        }

        /// <summary>What the token says; null when it is not to be believed.</summary>
        public async Task<JsonElement?> Read(string text)
        {
            Jwt token = Jwt.Parse(text);
            if (token == null || Text(token.Header, "alg") != "RS256" || !IsNow(token.Claims))
            {
                return null;
            }

            var found = await keys.Find(Text(token.Header, "kid") ?? string.Empty);
            if (found == null || Text(token.Claims, "iss") != found.Value.Issuer)
            {
                return null;
            }

            using RSA rsa = RSA.Create(found.Value.Key);
            return rsa.VerifyData(token.Signed, token.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                ? token.Claims
                : (JsonElement?)null;
        }

        /// <summary>A token without an end is refused; one without a beginning has begun.</summary>
        private static bool IsNow(JsonElement claims)
        {
            long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            return Seconds(claims, "exp") + Skew > now && (Seconds(claims, "nbf") ?? now) - Skew <= now;
        }

        private static long? Seconds(JsonElement claims, string name) =>
            claims.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long seconds)
                ? seconds
                : (long?)null;

        private static string Text(JsonElement from, string name) =>
            from.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
