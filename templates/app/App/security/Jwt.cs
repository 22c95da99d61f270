using System;
using System.Text;
using System.Text.Json;

namespace Altinn.App.Security
{
    /// <summary>A token in its three parts, taken apart but not yet believed.</summary>
    public class Jwt
    {
        private Jwt(string signed, JsonElement header, JsonElement claims, byte[] signature)
        {
            Signed = Encoding.ASCII.GetBytes(signed);
            Header = header;
            Claims = claims;
            Signature = signature;
        }

        /// <summary>The bytes that the signature is over.</summary>
        public byte[] Signed { get; }

        public JsonElement Header { get; }

        public JsonElement Claims { get; }

        public byte[] Signature { get; }

        /// <summary>Null for what is no token.</summary>
        public static Jwt Parse(string text)
        {
            string[] parts = text.Split('.');
            if (parts.Length != 3)
            {
                return null;
            }

            try
            {
                return new Jwt(parts[0] + "." + parts[1], Json(parts[0]), Json(parts[1]), Decode(parts[2]));
            }
            catch (Exception e) when (e is FormatException || e is JsonException)
            {
                return null;
            }
        }

        public static string Encode(byte[] bytes) =>
            Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

        /// <summary>Base64, in the form for addresses or in the plain one.</summary>
        public static byte[] Decode(string text)
        {
            string plain = text.TrimEnd('=').Replace('-', '+').Replace('_', '/');
            return Convert.FromBase64String(plain + new string('=', (4 - (plain.Length % 4)) % 4));
        }

        private static JsonElement Json(string part)
        {
            using JsonDocument document = JsonDocument.Parse(Decode(part));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new FormatException("a token's parts are objects");
        }
    }
}
