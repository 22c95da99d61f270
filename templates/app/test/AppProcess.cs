using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>The app as a child of the test, on a free port of this machine.</summary>
    public sealed class AppProcess : IDisposable
    {
        private readonly Process process;

        private AppProcess(Process process, string url)
        {
            this.process = process;
            Url = url;
        }

        public string Url { get; }

        /// <summary>`org/app` of the app beside this test.</summary>
        public static string Id
        {
            get
            {
                string metadata = Path.Combine(Folder(), "config", "applicationmetadata.json");
                using JsonDocument document = JsonDocument.Parse(File.ReadAllText(metadata), new JsonDocumentOptions { AllowTrailingCommas = true });
                return document.RootElement.GetProperty("id").GetString();
            }
        }

        public static async Task<AppProcess> Start(Platform platform)
        {
            int port = FreePort();
            var start = new ProcessStartInfo("dotnet") { WorkingDirectory = Folder(), UseShellExecute = false };
            new[] { "run", "--no-launch-profile" }.ToList().ForEach(start.ArgumentList.Add);
            void Set(string name, string value) => start.Environment[name] = start.Environment.TryGetValue(name, out string own) ? own : value;
            Set("Kestrel__EndPoints__Http__Url", $"http://127.0.0.1:{port}");
            Set("AppSettings__OpenIdWellKnownEndpoint", platform.Url + "/authentication/api/v1/openid/");
            foreach (string service in new[] { "Storage", "Register", "Profile", "Authorization", "Authentication", "Events" })
            {
                Set($"PlatformSettings__Api{service}Endpoint", $"{platform.Url}/{service.ToLowerInvariant()}/api/v1/");
            }

            string root = $"http://127.0.0.1:{port}";
            var app = new AppProcess(Process.Start(start), $"{root}/{Id}");
            try
            {
                await app.Answers(root + "/health");
                return app;
            }
            catch
            {
                app.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                // `dotnet run` has the app as a child of its own.
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }

            process.Dispose();
        }

        private async Task Answers(string health)
        {
            Stopwatch since = Stopwatch.StartNew();
            while (!process.HasExited && since.Elapsed < TimeSpan.FromMinutes(2))
            {
                try
                {
                    (await Reply.To(HttpMethod.Get, health, null)).Is(200);
                    return;
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(100);
                }
            }

            throw new Stopped(process.HasExited ? "The app does not start; what it says stands above." : "The app does not answer within two minutes.");
        }

        private static string Folder([CallerFilePath] string here = null) =>
            Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here), "..", "App"));

        private static int FreePort()
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            int port = ((IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            return port;
        }
    }
}
