using System;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Platform;
using Microsoft.AspNetCore.Http;

namespace Altinn.App.Security
{
    /// <summary>Finds out who sends a request: by its bearer token, else by the platform's cookie.</summary>
    public class Callers
    {
        /// <summary>Altinn's frontend copies this cookie into the header; another site cannot read it.</summary>
        private const string ProofCookie = "XSRF-TOKEN";
        private const string ProofHeader = "X-XSRF-TOKEN";

        private readonly TokenReader tokens;
        private readonly PlatformSettings settings;

        public Callers(TokenReader tokens, PlatformSettings settings)
        {
            this.tokens = tokens;
            this.settings = settings;
        }

        /// <summary>Who sends the request; refused with 401 when nobody who is known.</summary>
        public async Task<Caller> Demand(HttpContext context)
        {
            string bearer = Bearer(context.Request);
            string token = bearer ?? Cookie(context.Request);
            JsonElement? claims = string.IsNullOrEmpty(token) ? null : await tokens.Read(token);
            if (claims == null)
            {
                throw Fault.Unauthorized();
            }

            if (bearer == null)
            {
                DemandProof(context, token);
            }

            return new Caller(token, claims.Value);
        }

        /// <summary>A user who logged in: what organisations and systems do not have is asked of it.</summary>
        public async Task<(Caller Caller, int User)> DemandUser(HttpContext context)
        {
            Caller caller = await Demand(context);
            return (caller, caller.UserId ?? throw Fault.BadRequest("This is for users: the token has no `urn:altinn:userid`."));
        }

        /// <summary>
        /// Gives the page what it has to prove later: that a request with the log-in cookie comes from a page of this
        /// app. It follows from the token alone, so that nothing must be remembered, and changes at each log-in.
        /// </summary>
        public void GiveProof(HttpContext context, string token = null)
        {
            token ??= Cookie(context.Request);
            if (!string.IsNullOrEmpty(token) && context.Request.Cookies[ProofCookie] != Proof(token))
            {
                var options = new CookieOptions { Path = Root(context), SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps };
                context.Response.Cookies.Append(ProofCookie, Proof(token), options);
            }
        }

        /// <summary>Sets a cookie that the platform and all apps share.</summary>
        public void Share(HttpContext context, string name, string value, bool forScripts)
        {
            var options = new CookieOptions
            {
                Path = "/",
                Domain = settings.HostName.Contains('.') ? settings.HostName : null,
                HttpOnly = !forScripts,
                SameSite = SameSiteMode.Lax,
                Secure = context.Request.IsHttps,
            };
            if (value == null)
            {
                context.Response.Cookies.Delete(name, options);
            }
            else
            {
                context.Response.Cookies.Append(name, value, options);
            }
        }

        private static string Bearer(HttpRequest request)
        {
            string header = request.Headers["Authorization"];
            return header != null && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header.Substring(7).Trim() : null;
        }

        /// <summary>A long token comes in several cookies: the first says how many.</summary>
        private string Cookie(HttpRequest request)
        {
            string name = settings.TokenCookie;
            string value = request.Cookies[name];
            if (value == null || !value.StartsWith("chunks-") || !int.TryParse(value.Substring(7), out int count) || count > 50)
            {
                return value;
            }

            var whole = new StringBuilder();
            for (int part = 1; part <= count; part++)
            {
                whole.Append(request.Cookies[$"{name}C{part}"]);
            }

            return whole.ToString();
        }

        private void DemandProof(HttpContext context, string token)
        {
            if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            {
                GiveProof(context);
            }
            else if (context.Request.Headers[ProofHeader] != Proof(token))
            {
                throw Fault.BadRequest($"The header `{ProofHeader}` is not the cookie `{ProofCookie}` of this log-in. Load the page again.");
            }
        }

        private static string Root(HttpContext context) => context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/";

        private static string Proof(string token)
        {
            using SHA256 sha = SHA256.Create();
            return Jwt.Encode(sha.ComputeHash(Encoding.UTF8.GetBytes("proof of origin\n" + token)));
        }
    }
}
