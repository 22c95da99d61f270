using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Altinn.App.Platform;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Altinn.App.Security
{
    /// <summary>
    /// The app's own token, by which the platform knows which app calls. Its key is mounted into the container; an app
    /// without one goes on without the token, and the platform decides whether that is enough.
    /// </summary>
    public class AccessTokens
    {
        private const string KeyFile = "accesstokencredentials.pfx";
        private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

        private readonly AppFiles files;
        private readonly string path;
        private readonly ILogger<AccessTokens> log;
        private readonly object turn = new object();
        private string current;
        private DateTime renew;

        public AccessTokens(AppFiles files, PlatformSettings settings, IHostEnvironment environment, ILogger<AccessTokens> log)
        {
            this.files = files;
            this.log = log;

            // Beside the app's folder: `/accesstoken` for an app in `/app`.
            string beside = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(environment.ContentRootPath)) ?? "/";
            path = Path.Combine(beside, settings.AccessTokenFolder, KeyFile);
        }

        /// <summary>A token that holds for a while; null where there is no key.</summary>
        public string Current()
        {
            lock (turn)
            {
                if (DateTime.UtcNow >= renew)
                {
                    current = Made();
                    renew = DateTime.UtcNow + (Lifetime * 0.8);
                }

                return current;
            }
        }

        private string Made()
        {
            try
            {
                if (!File.Exists(path) || new FileInfo(path).Length == 0)
                {
                    return null;
                }

#pragma warning disable SYSLIB0057 // The newer way is not there in .NET Core 3.1.
                using var certificate = new X509Certificate2(path, string.Empty);
#pragma warning restore SYSLIB0057
                return Sign(certificate, ApplicationMetadata.Read(files));
            }
            catch (Exception e) when (e is CryptographicException || e is IOException || e is UnauthorizedAccessException)
            {
                log.LogWarning("There is no platform access token: {Path} cannot be used: {Reason}", path, e.Message);
                return null;
            }
        }

        private static string Sign(X509Certificate2 certificate, ApplicationMetadata app)
        {
            var header = new { alg = "RS256", typ = "JWT", kid = certificate.Thumbprint, x5t = Jwt.Encode(certificate.GetCertHash()) };
            long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            var claims = new Dictionary<string, object>
            {
                ["urn:altinn:app"] = app.App,
                ["iss"] = app.Org,
                ["aud"] = "platform.altinn.no",
                ["iat"] = now,
                ["nbf"] = now - 5,
                ["exp"] = now + (long)Lifetime.TotalSeconds,
            };
            string signed = Jwt.Encode(JsonSerializer.SerializeToUtf8Bytes(header)) + "." + Jwt.Encode(JsonSerializer.SerializeToUtf8Bytes(claims));
            using RSA key = certificate.GetRSAPrivateKey() ?? throw new CryptographicException("it holds no RSA key");
            byte[] signature = key.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            return signed + "." + Jwt.Encode(signature);
        }
    }
}
