using System;
using System.Linq;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Altinn.App
{
    public static class Program
    {
        public static void Main(string[] args)
        {
            using IHost host = CreateHostBuilder(args).Build();

            IServiceProvider services = host.Services;
            services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() =>
            {
                var addresses = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
                string id = services.GetRequiredService<AppFiles>().Id ?? "an app without an id";
                Console.WriteLine($"{id} listens on {string.Join(", ", addresses?.Addresses ?? Enumerable.Empty<string>())}");
            });

            host.Run();
        }

        private static IHostBuilder CreateHostBuilder(string[] args) =>
            Host.CreateDefaultBuilder(args).ConfigureWebHostDefaults(web => web.UseStartup<Startup>());
    }
}
