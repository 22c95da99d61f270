using System;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Altinn.App.Platform
{
    /// <summary>Where the platform is, and what it calls things: the settings that every Altinn app has.</summary>
    public class PlatformSettings
    {
        private readonly IConfiguration configuration;

        public PlatformSettings(IConfiguration configuration)
        {
            this.configuration = configuration;
        }

        public string TokenCookie => Text("AppSettings:RuntimeCookieName", "AltinnStudioRuntime");

        public string PartyCookie => Text("GeneralSettings:AltinnPartyCookieName", "AltinnPartyId");

        /// <summary>The domain that the platform and all apps share, without a port.</summary>
        public string HostName => Text("GeneralSettings:HostName", "localhost").Split(':')[0];

        public Uri OpenId => Address("AppSettings:OpenIdWellKnownEndpoint");

        public bool TellsEvents => configuration.GetValue("AppSettings:RegisterEventsWithEventsComponent", true);

        /// <summary>The folder of the key for platform access tokens; see `AccessTokens`.</summary>
        public string AccessTokenFolder => Text("AccessTokenSettings:AccessTokenSigningKeysFolder", "accesstoken/");

        /// <summary>The base address of a service, such as `Storage`; it ends with a slash.</summary>
        public Uri Service(string name) => Address($"PlatformSettings:Api{name}Endpoint");

        /// <summary>Where the browser reaches this app; it ends with a slash.</summary>
        public string AppUrl(HttpRequest request, ApplicationMetadata metadata)
        {
            string pattern = configuration["GeneralSettings:ExternalAppBaseUrl"];
            return string.IsNullOrEmpty(pattern)
                ? $"{request.Scheme}://{request.Host}{request.PathBase}/"
                : pattern.Replace("{org}", metadata.Org).Replace("{app}", metadata.App).TrimEnd('/') + "/";
        }

        private string Text(string key, string standard)
        {
            string value = configuration[key];
            return string.IsNullOrEmpty(value) ? standard : value;
        }

        private Uri Address(string key)
        {
            string value = configuration[key];
            return Uri.TryCreate(value?.TrimEnd('/') + "/", UriKind.Absolute, out Uri address)
                ? address
                : throw new PlatformFault(null, $"The setting `{key}` is not an address: `{value}`. Its environment variable is `{key.Replace(":", "__")}`.");
        }
    }
}
