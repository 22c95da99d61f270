using System;
using System.Threading.Tasks;

namespace Altinn.App.Test
{
    /// <summary>
    /// Plays the app against a platform, without a browser: `dotnet run --project test`. Exits with 0 when all is well.
    /// </summary>
    /// <remarks>
    /// ALTINN_PLATFORM_URL is where the platform is (http://platform.altinn.localhost:8800); it must know the app.
    /// ALTINN_APP_URL is where the app is, as http://ttd.apps.altinn.localhost:8800/ttd/my-app; without it the app is
    /// started from ../App for the time of the test.
    /// </remarks>
    public static class Program
    {
        public static async Task<int> Main()
        {
            var platform = new Platform(Setting("ALTINN_PLATFORM_URL") ?? "http://platform.altinn.localhost:8800");
            try
            {
                await platform.DemandApp(AppProcess.Id);
                string url = Setting("ALTINN_APP_URL");
                using AppProcess app = url == null ? await AppProcess.Start(platform) : null;
                var cases = new Cases();
                await new Story(new AppClient(url ?? app.Url), platform, cases).Play();
                Console.WriteLine($"{cases.Good} good, {cases.Bad} bad");
                return cases.Bad == 0 ? 0 : 1;
            }
            catch (Stopped e)
            {
                Console.Error.WriteLine(e.Message);
                return 1;
            }
        }

        private static string Setting(string name)
        {
            string value = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(value) ? null : value.TrimEnd('/');
        }
    }

    /// <summary>The test cannot be played at all; the message says what to do.</summary>
    public class Stopped : Exception
    {
        public Stopped(string message)
            : base(message)
        {
        }
    }
}
